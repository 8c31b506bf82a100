/* oneDNN's direct convolutions, in whatever layouts it likes best: its data is already there, no reorder is timed. */
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/kernels/bench.h"

typedef struct onednn {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[3];
} onednn;

#define DNNL(call) \
  if ((call) != dnnl_success) return snprintf(s->name, sizeof s->name, "oneDNN: %s failed", #call), false

static void call_onednn(void *self) {
  onednn *o = self;
  dnnl_primitive_execute(o->primitive, o->stream, 3, o->args);
  dnnl_stream_wait(o->stream);
}

bool peer_onednn(const sc_task *task, subject *s) {
  onednn *o = calloc(1, sizeof *o);
  bool depthwise = strcmp(task->op, "depthwise") == 0;
  if (!o) return false;
  *s = (subject){.call = call_onednn, .self = o};
  const sc_access *x = &task->access[1];
  const sc_tensor *in = &task->tensor[x->tensor], *out = &task->tensor[task->access[0].tensor];
  const int64_t g = in->shape[3], each = depthwise ? 1 : in->shape[4], each_out = depthwise ? 1 : out->shape[4];
  const int64_t c = g * each, k = g * each_out;
  const bool is_grouped = g > 1;
  int r = task->dim[x->axis[1].dim[1]].size, t = task->dim[x->axis[2].dim[1]].size;
  dnnl_dims_t src = {in->shape[0], c, in->shape[1], in->shape[2]},
              dst = {out->shape[0], k, out->shape[1], out->shape[2]};
  dnnl_dims_t dense = {k, c, r, t}, grouped = {g, each_out, each, r, t};
  dnnl_dims_t strides = {x->axis[1].coef[0], x->axis[2].coef[0]}, lo = {-x->axis[1].offset, -x->axis[2].offset};
  dnnl_dims_t hi = {(dst[2] - 1) * strides[0] + r - src[2] - lo[0], (dst[3] - 1) * strides[1] + t - src[3] - lo[1]};
  dnnl_memory_desc_t sd, wd, dd;
  DNNL(dnnl_engine_create(&o->engine, dnnl_cpu, 0));
  DNNL(dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags));
  DNNL(dnnl_memory_desc_init_by_tag(&sd, 4, src, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&wd, is_grouped ? 5 : 4, is_grouped ? grouped : dense, dnnl_f32,
                                    dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&dd, 4, dst, dnnl_f32, dnnl_format_tag_any));
  dnnl_convolution_desc_t desc;
  DNNL(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct, &sd, &wd, NULL, &dd,
                                          strides, lo, hi));
  dnnl_primitive_desc_t pd;
  DNNL(dnnl_primitive_desc_create(&pd, &desc, NULL, o->engine, NULL));
  DNNL(dnnl_primitive_create(&o->primitive, pd));
  const int which[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  const dnnl_query_t query[] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
  for (int i = 0; i < 3; i++) {
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, query[i], 0);
    void *data = bench_alloc(dnnl_memory_desc_get_size(md) + 64);
    for (size_t e = 0; e < dnnl_memory_desc_get_size(md) / 4; e++) ((float *)data)[e] = (float)(e % 7);
    o->args[i].arg = which[i];
    DNNL(dnnl_memory_create(&o->args[i].memory, md, o->engine, data));
  }
  const char *impl = "?";
  dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &impl);
  snprintf(s->name, sizeof s->name, "oneDNN (%s)", impl);
  return true;
}
