//! The published names of well-known classes, in the order of their labels.

use super::Classes;

/// # Well-known classes
impl Classes {
    /// The ten of Fashion-MNIST (H. Xiao, K. Rasul and R. Vollgraf, 2017).
    #[must_use]
    #[rustfmt::skip]
    pub fn fashion_mnist() -> Self {
        Self::from([
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
            "Bag", "Ankle boot",
        ])
    }

    /// The ten of CIFAR-10 (A. Krizhevsky, 2009).
    #[must_use]
    #[rustfmt::skip]
    pub fn cifar10() -> Self {
        Self::from([
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
            "truck",
        ])
    }

    /// The twenty superclasses of CIFAR-100.
    #[must_use]
    #[rustfmt::skip]
    pub fn cifar100_coarse() -> Self {
        Self::from([
            "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
            "household_electrical_devices", "household_furniture", "insects", "large_carnivores",
            "large_man-made_outdoor_things", "large_natural_outdoor_scenes",
            "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates",
            "people", "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
        ])
    }

    /// The hundred classes of CIFAR-100.
    #[must_use]
    #[rustfmt::skip]
    pub fn cifar100_fine() -> Self {
        Self::from([
            "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
            "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
            "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
            "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
            "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower",
            "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
            "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear",
            "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
            "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew",
            "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar",
            "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
            "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree",
            "wolf", "woman", "worm",
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fine classes are published in alphabetical order, as the coarse ones are.
    #[test]
    fn names_are_complete_and_sorted() {
        assert_eq!(Classes::fashion_mnist().len(), 10);
        for (classes, count) in [
            (Classes::cifar10(), 10),
            (Classes::cifar100_coarse(), 20),
            (Classes::cifar100_fine(), 100),
        ] {
            assert_eq!(classes.len(), count);
            assert!(classes.names().is_sorted_by(|a, b| a < b));
        }
    }
}
