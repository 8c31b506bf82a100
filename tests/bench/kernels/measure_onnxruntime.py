"""Answers bench_kernels: mean seconds of one depthwise convolution in onnxruntime, one thread.

  python3 measure_onnxruntime.py CHANNELS HEIGHT WIDTH KERNEL STRIDE PAD

prints the version, then for every line with a number of seconds the mean time of the convolution over at least so long.
Only the convolution's node counts, from onnxruntime's own profile: what it spends on changing layouts around it does not.
"""
import json
import os
import sys
import tempfile
import time

import numpy
import onnx
import onnxruntime


def model(c, h, w, kernel, stride, pad):
    weights = onnx.numpy_helper.from_array(numpy.ones((c, 1, kernel, kernel), numpy.float32), "W")
    node = onnx.helper.make_node("Conv", ["X", "W"], ["Y"], group=c, strides=[stride] * 2, pads=[pad] * 4, kernel_shape=[kernel] * 2)
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node], "g", [value("X", onnx.TensorProto.FLOAT, [1, c, h, w])], [value("Y", onnx.TensorProto.FLOAT, None)], [weights]
    )
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    made.ir_version = 8
    return made.SerializeToString()


def measure(text, x, seconds, folder):
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
    took = [e["dur"] for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time") and e["args"].get("op_name") == "Conv"]
    took = took[1:] or took
    return sum(took) / len(took) * 1e-6


def main():
    c, h, w, kernel, stride, pad = map(int, sys.argv[1:7])
    text = model(c, h, w, kernel, stride, pad)
    x = numpy.ones((1, c, h, w), numpy.float32)
    print("onnxruntime", onnxruntime.__version__, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            print(measure(text, x, float(line), folder), flush=True)


main()
