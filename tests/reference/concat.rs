//! Concatenation on the channels: `[N, C₁, …]`, `[N, C₂, …]` to `[N, C₁+C₂, …]`.

use super::Tensor;

/// The inputs' channels one after the other. All other axes must agree.
pub fn forward(inputs: &[&Tensor]) -> Tensor {
    let maps: Vec<Tensor> = inputs.iter().map(|input| input.by_channel()).collect();
    for input in inputs {
        assert_eq!(
            (input.shape[0], &input.shape[2..]),
            (inputs[0].shape[0], &inputs[0].shape[2..])
        );
    }
    let channels = maps.iter().map(|map| map.shape[1]).sum();
    let y = Tensor::from_fn(&[maps[0].shape[0], channels, maps[0].shape[2]], |index| {
        let (mut which, mut c) = (0, index[1]);
        while c >= maps[which].shape[1] {
            c -= maps[which].shape[1];
            which += 1;
        }
        maps[which].at(&[index[0], c, index[2]])
    });
    let mut shape = inputs[0].shape.clone();
    shape[1] = channels;
    y.reshaped(&shape)
}

/// δ cut into parts of `channels[0]`, `channels[1]`, … channels.
pub fn grad_inputs(grad_y: &Tensor, channels: &[usize]) -> Vec<Tensor> {
    assert_eq!(
        channels.iter().sum::<usize>(),
        grad_y.shape[1],
        "all channels are given out"
    );
    let delta = grad_y.by_channel();
    let mut first = 0;
    let part = |&count: &usize| {
        let part = Tensor::from_fn(&[delta.shape[0], count, delta.shape[2]], |index| {
            delta.at(&[index[0], first + index[1], index[2]])
        });
        first += count;
        let mut shape = grad_y.shape.clone();
        shape[1] = count;
        part.reshaped(&shape)
    };
    channels.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn forward_by_hand() {
        let a = Tensor::new(&[2, 1, 1, 2], vec![1., 2., 3., 4.]);
        let b = Tensor::new(&[2, 2, 1, 2], vec![10., 20., 30., 40., 50., 60., 70., 80.]);
        let y = forward(&[&a, &b]);
        assert_eq!(y.shape, [2, 3, 1, 2]);
        assert_eq!(
            y.data,
            [1., 2., 10., 20., 30., 40., 3., 4., 50., 60., 70., 80.]
        );
        assert_eq!(grad_inputs(&y, &[1, 2]), [a, b]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let [a, b, c] = [1, 3, 2].map(|c| Tensor::normal(&[2, c, 2, 3], c as u64));
        let delta = Tensor::normal(&[2, 6, 2, 3], 9);
        let grads = grad_inputs(&delta, &[1, 3, 2]);
        assert_gradient("a", &grads[0], &a, |a| forward(&[a, &b, &c]).dot(&delta));
        assert_gradient("b", &grads[1], &b, |b| forward(&[&a, b, &c]).dot(&delta));
        assert_gradient("c", &grads[2], &c, |c| forward(&[&a, &b, c]).dot(&delta));
    }
}
