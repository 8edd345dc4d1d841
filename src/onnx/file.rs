//! A description and the numbers of its weights as the bytes of a model file.

use std::collections::BTreeMap;

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::{Attribute, Constant, Description, INPUT, OPSET, OUTPUT, OnnxNode};
use crate::error::{Error, Result};
use crate::graph::Var;

/// The file format of ONNX 1.12, which brought opset 17.
const IR_VERSION: i64 = 8;

/// Protobuf's largest message.
const LARGEST: usize = 1 << 31;

/// The file's bytes; `weights` has the parameters' numbers.
pub(crate) fn encode(
    description: &Description,
    weights: &BTreeMap<Var, Vec<f32>>,
) -> Result<Vec<u8>> {
    let parameters = description.parameters.iter();
    let mut initializer: Vec<TensorProto> = parameters
        .filter_map(|(name, (var, shape))| Some(floats(name, shape, weights.get(var)?)))
        .collect();
    let constants = description.constants.iter();
    initializer.extend(constants.map(|(name, value)| constant(name, value)));
    let graph = GraphProto {
        node: description.nodes.iter().map(node).collect(),
        name: "wgrad".to_owned(),
        initializer,
        input: vec![samples(INPUT, &description.input)],
        output: vec![samples(OUTPUT, &description.output)],
    };
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "wgrad".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
    };
    match model.encoded_len() {
        len if len >= LARGEST => Err(Error::Invalid(format!(
            "the network has {len} bytes, an ONNX file holds less than {LARGEST}"
        ))),
        _ => Ok(model.encode_to_vec()),
    }
}

fn node(node: &OnnxNode) -> NodeProto {
    NodeProto {
        input: node.inputs.clone(),
        output: vec![node.output.clone()],
        name: node.output.clone(),
        op_type: node.kind.to_owned(),
        attribute: node.attributes.iter().map(attribute).collect(),
    }
}

fn attribute((name, value): &(&'static str, Attribute)) -> AttributeProto {
    let mut proto = AttributeProto {
        name: (*name).to_owned(),
        ..AttributeProto::default()
    };
    match value {
        Attribute::Float(value) => {
            proto.r#type = AttributeProto::FLOAT;
            proto.f = Some(*value);
        }
        Attribute::Int(value) => {
            proto.r#type = AttributeProto::INT;
            proto.i = Some(*value);
        }
        Attribute::Ints(values) => {
            proto.r#type = AttributeProto::INTS;
            proto.ints = values.clone();
        }
        Attribute::Text(text) => {
            proto.r#type = AttributeProto::STRING;
            proto.s = Some(text.as_bytes().to_vec());
        }
    }
    proto
}

fn constant(name: &str, value: &Constant) -> TensorProto {
    match value {
        Constant::Floats(shape, values) => floats(name, shape, values),
        Constant::Ints(values) => TensorProto {
            dims: vec![values.len() as i64],
            data_type: TensorProto::INT64,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        },
    }
}

fn floats(name: &str, shape: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|extent| *extent as i64).collect(),
        data_type: TensorProto::FLOAT,
        name: name.to_owned(),
        raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// Floats of this shape for each sample of a free batch.
fn samples(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_value: None,
        dim_param: Some("N".to_owned()),
    };
    let extents = shape.iter().map(|extent| DimensionProto {
        dim_value: Some(*extent as i64),
        dim_param: None,
    });
    let shape = TensorShapeProto {
        dim: std::iter::once(batch).chain(extents).collect(),
    };
    let tensor_type = TensorTypeProto {
        elem_type: TensorProto::FLOAT,
        shape: Some(shape),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}
