"""Whether the shape of a request bounds what a model's run can take.

Invariant: a model that is said to be bounded has but one free extent, the rows, and does as many operations
for them whatever their values are. What is not known to be so is taken not to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maestro_cli.serving.models.manifest import TensorSpec

# Operators of ai.onnx and ai.onnx.ml whose outputs' extents follow from those of their inputs and from the
# graph. Not here: Loop, Scan, If and the sequences; what makes tensors as large as a value says (Range, Tile,
# Expand, Pad, ConstantOfShape, Resize, OneHot …); what keeps as many elements as there are (NonZero, Unique).
_BOUNDED_OPERATORS = """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift
    Cast CastLike Ceil Celu Clip Concat Constant Conv ConvTranspose Cos Cosh CumSum Div Dropout Einsum Elu
    Equal Erf Exp Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool
    Greater GreaterOrEqual HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM
    LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul MatMulInteger Max MaxPool Mean Min
    Mish Mod Mul Neg Not Or PRelu Pow RNN Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Sin
    Sinh Size Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan Tanh TopK Transpose Trilu
    Unsqueeze Where Xor
    ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor
    Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
    TreeEnsembleRegressor
"""
_BOUNDED = frozenset(_BOUNDED_OPERATORS.split())


def is_bounded(inputs: Sequence[TensorSpec], operators: Iterable[str]) -> bool:
    """Whether a run of as many rows always does as much; text has no bounded length."""
    return _BOUNDED.issuperset(operators) and all(
        spec.datatype != "BYTES" and -1 not in spec.shape[1:] for spec in inputs
    )
