"""Answers bench_kernels: mean seconds of one convolution or matrix product in onnxruntime, one thread.

  python3 measure_onnxruntime.py M N K
  python3 measure_onnxruntime.py GROUPS CHANNELS OUT_CHANNELS HEIGHT WIDTH KERNEL STRIDE PAD   (channels of a group)

prints the version, then for every line with a number of seconds the mean time of the operator over at least so long.
Only the operator's node counts, from onnxruntime's own profile: what it spends on changing layouts around it does not.
"""
import json
import os
import sys
import tempfile
import time

import numpy
import onnx
import onnxruntime


def ones(*shape):
    return onnx.numpy_helper.from_array(numpy.ones(shape, numpy.float32), "W")


def conv(groups, c, k, h, w, kernel, stride, pad):
    node = onnx.helper.make_node("Conv", ["X", "W"], ["Y"], group=groups, strides=[stride] * 2, pads=[pad] * 4,
                                 kernel_shape=[kernel] * 2)
    return node, [1, groups * c, h, w], ones(groups * k, c, kernel, kernel)


def matmul(m, n, k):
    return onnx.helper.make_node("MatMul", ["X", "W"], ["Y"]), [m, k], ones(k, n)


def model(node, shape, weights):
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node], "g", [value("X", onnx.TensorProto.FLOAT, shape)], [value("Y", onnx.TensorProto.FLOAT, None)], [weights]
    )
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    made.ir_version = 8
    return made.SerializeToString()


def measure(text, operator, x, seconds, folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = os.path.join(folder, "profile")
    session = onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        session.run(None, {"X": x})
    path = session.end_profiling()
    with open(path) as file:
        events = json.load(file)
    os.unlink(path)
    took = [e["dur"] for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time") and e["args"].get("op_name") == operator]
    took = took[1:] or took
    return sum(took) / len(took) * 1e-6


def main():
    sizes = list(map(int, sys.argv[1:]))
    node, shape, weights = matmul(*sizes) if len(sizes) == 3 else conv(*sizes)
    text = model(node, shape, weights)
    x = numpy.ones(shape, numpy.float32)
    print("onnxruntime", onnxruntime.__version__, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            print(measure(text, node.op_type, x, float(line), folder), flush=True)


main()
