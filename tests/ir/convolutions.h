/* Random tasks of the library's operators, kept with the numbers that a naive computation of them needs. */
#ifndef TESTS_IR_CONVOLUTIONS_H
#define TESTS_IR_CONVOLUTIONS_H

#include "tests/ir/tasks.h"

/* A convolution with G groups of C input and K output channels each. A depthwise one has G channels. */
typedef struct conv {
  bool depthwise;
  int N, H, W, G, C, K, R, S, P, Q;
  int stride_h, stride_w, dil_h, dil_w, top, left, bottom, right;
  int block; /* of the channels: -1 NHWC, 0 NCHW */
  const char *type, *epilogue;
  char text[400];
} conv;

static const char *const epilogues[] = {"none", "bias", "relu", "bias_relu", "relu6", "bias_relu6"};
static const char *const type_names[] = {"f32", "f16", "i8", "u8", "i32"};

static inline conv random_conv(sc_rng *rng) {
  static const char *const layouts[] = {"NHWC", "NCHW", "NCHWc4", "NCHWc8", "NCHWc16"};
  static const int blocks[] = {-1, 0, 4, 8, 16};
  bool small = below(rng, 3) == 0; /* a 1x1 kernel, stride 1, no padding: dims merge */
  int layout = below(rng, 5);
  conv c = {.depthwise = below(rng, 3) == 0, .block = blocks[layout], .type = type_names[below(rng, 5)]};
  c.N = 1 + below(rng, 3);
  c.H = 1 + below(rng, 9);
  c.W = 1 + below(rng, 9);
  c.G = c.depthwise ? 1 + below(rng, 20) : 1 + below(rng, 3) % 2;
  c.C = c.depthwise ? 1 : 1 + below(rng, 20);
  c.K = c.depthwise ? 1 : 1 + below(rng, 20);
  c.R = small ? 1 : 1 + below(rng, 4);
  c.S = small ? 1 : 1 + below(rng, 4);
  c.stride_h = small ? 1 : 1 + below(rng, 3);
  c.stride_w = small ? 1 : 1 + below(rng, 3);
  c.dil_h = 1 + below(rng, 2);
  c.dil_w = 1 + below(rng, 2);
  c.top = small ? 0 : below(rng, 3);
  c.left = small ? 0 : below(rng, 3);
  c.bottom = small ? 0 : below(rng, 3);
  c.right = small ? 0 : below(rng, 3);
  c.epilogue = epilogues[below(rng, 6)];
  int h = c.H + c.top + c.bottom - c.dil_h * (c.R - 1) - 1, w = c.W + c.left + c.right - c.dil_w * (c.S - 1) - 1;
  if (h < 0 || w < 0) return random_conv(rng);
  c.P = h / c.stride_h + 1;
  c.Q = w / c.stride_w + 1;
  bool touches =
      (c.P - 1) * c.stride_h + (c.R - 1) * c.dil_h >= c.top && (c.Q - 1) * c.stride_w + (c.S - 1) * c.dil_w >= c.left;
  if (!touches) return random_conv(rng); /* such a task is refused */
  int n = snprintf(c.text, sizeof c.text, "%s:N=%d,H=%d,W=%d,C=%d,R=%d,S=%d,", c.depthwise ? "depthwise" : "conv2d",
                   c.N, c.H, c.W, c.G * c.C, c.R, c.S);
  if (!c.depthwise) n += snprintf(c.text + n, sizeof c.text - (size_t)n, "K=%d,groups=%d,", c.G * c.K, c.G);
  snprintf(c.text + n, sizeof c.text - (size_t)n,
           "stride_h=%d,stride_w=%d,dil_h=%d,dil_w=%d,pad_top=%d,pad_left=%d,pad_bottom=%d,pad_right=%d,type=%s,layout="
           "%s,epilogue=%s",
           c.stride_h, c.stride_w, c.dil_h, c.dil_w, c.top, c.left, c.bottom, c.right, c.type, layouts[layout],
           c.epilogue);
  return c;
}

/* Where element (n, h, w) of channel k of group g lies in an image of H*W with K channels a group. */
static inline long image_at(const conv *c, int H, int W, int K, int n, int h, int w, int g, int k) {
  long b = c->block, blocks = (K + b - 1) / (b > 0 ? b : 1);
  if (b < 0) return (((long)n * H + h) * W + w) * c->G * K + (long)g * K + k;
  if (b == 0) return (((long)n * c->G * K + (long)g * K + k) * H + h) * W + w;
  if (c->depthwise) return ((((long)n * ((c->G + b - 1) / b) + g / b) * H + h) * W + w) * b + g % b;
  return (((((long)n * c->G + g) * blocks + k / b) * H + h) * W + w) * b + k % b;
}

static inline long weight_at(const conv *c, int g, int k, int i, int r, int s) {
  long b = c->block;
  if (b < 0) return (((long)r * c->S + s) * c->C + i) * c->G * c->K + (long)g * c->K + k;
  if (b == 0) return ((((long)g * c->K + k) * c->C + i) * c->R + r) * c->S + s;
  if (c->depthwise) return (((long)(g / b) * c->R + r) * c->S + s) * b + g % b;
  long kb = (c->K + b - 1) / b, cb = (c->C + b - 1) / b;
  return (((((g * kb + k / b) * cb + i / b) * c->R + r) * c->S + s) * b + i % b) * b + k % b;
}

#endif
