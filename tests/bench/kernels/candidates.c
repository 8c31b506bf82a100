/* Schedules an expert would try, until a space is searched: register tiles, kernel loops and bands that fit the caches. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/kernels/bench.h"

static void add(candidates *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(candidates *c, const char *format, ...) {
  va_list args;
  if (c->n == BENCH_MAX) return;
  va_start(args, format);
  vsnprintf(c->text[c->n++], sizeof c->text[0], format, args);
  va_end(args);
}

static int size_of(const sc_task *task, const char *name) {
  int d = sc_task_dim(task, name, strlen(name));
  return d < 0 ? 1 : task->dim[d].size;
}

/* "i 14*31+13*6": as few tiles as size/tile allows, of two sizes that differ by one unit where the size allows that. */
static const char *balanced(char text[64], const char *dim, int size, int tile, int unit) {
  int units = size / unit, n = (size + tile - 1) / tile, small = units / n, large = units % n;
  if (size % unit) snprintf(text, 64, "%s %d", dim, tile);
  else if (large == 0) snprintf(text, 64, "%s %d*%d", dim, small * unit, n);
  else snprintf(text, 64, "%s %d*%d+%d*%d", dim, (small + 1) * unit, large, small * unit, n - large);
  return text;
}

/* Accumulators that leave room for what streams, and enough of them to hide the latency of an FMA. */
static bool fits(const isa *target, int accumulators) {
  return accumulators >= target->registers / 4 && accumulators <= target->registers - 3;
}

static void matmul(const sc_task *task, const isa *target, candidates *c) {
  static const int rows[] = {14, 13, 12, 9, 8, 6, 5, 4, 3};
  static const int depths[] = {128, 192, 256, 384, 512, 1024};
  static const int groups[] = {4, 8, 16, 1000};
  int m = size_of(task, "i"), n = size_of(task, "j"), k = size_of(task, "k");
  bool constant = task->tensor[task->access[2].tensor].constant; /* then it is packed ahead, which costs nothing */
  for (size_t r = 0; r < SC_COUNT_OF(rows); r++)
    for (int vectors = 1; vectors <= 4; vectors++)
      for (size_t d = 0; d < SC_COUNT_OF(depths); d++)
        for (size_t g = 0; g < SC_COUNT_OF(groups); g++) {
          char i[64], j[64];
          int accumulators = rows[r] * vectors, width = vectors * target->lanes, tiles = (m + rows[r] - 1) / rows[r];
          if (!fits(target, accumulators) || accumulators < target->registers * 5 / 8 || rows[r] > m || width > n)
            continue;
          if (depths[d] > k || (depths[d] < k && k % depths[d]) || (groups[g] < 1000 && groups[g] >= tiles)) continue;
          balanced(i, "i", m, rows[r], 1);
          balanced(j, "j", n, width, target->lanes);
          for (int packed = constant; packed < 2; packed++)
            add(c, "tile %s, %s; vector j %d; loop k unroll 4; band k %d; band i %d, j all order j i; band order k i%s",
                i, j, target->lanes, depths[d], groups[g],
                !packed    ? ""
                : constant ? "; pack B 2 [j/t,k,j%t]"
                           : "; pack B 3 [j/t,k,j%t]");
        }
}

static void conv2d(const sc_task *task, const isa *target, candidates *c) {
  static const char *const orders[] = {"k p q", "p q k", "p k q"};
  int q = size_of(task, "q"), k = size_of(task, "k"), ch = size_of(task, "c"), taps = size_of(task, "s");
  for (int vectors = 1; vectors <= 4; vectors++)
    for (int tq = 3; tq <= 28 && tq <= q; tq++)
      for (int inner = 0; inner < 2; inner++)
        for (size_t o = 0; o < SC_COUNT_OF(orders); o++)
          for (int depth = 32; depth <= ch; depth *= 2) {
            char tile[64];
            int width = vectors * target->lanes, tiles = (q + tq - 1) / tq;
            if (!fits(target, tq * vectors) || tq * vectors < target->registers * 5 / 8 || width > k ||
                tq != (q + tiles - 1) / tiles)
              continue;
            if (depth < ch && depth * size_of(task, "r") * taps * width * 4 < 24000) continue;
            add(c,
                "tile %s, k %d, s %d; vector k %d; loop %s; band c %d, r all; band k all, p all, q all order %s; band "
                "order c; "
                "pad p clamp, q peel; pack W 2 [k/t,r,c,s,k%%t]",
                balanced(tile, "q", q, tq, 1), width, taps, target->lanes, inner ? "r c" : "c r", depth, orders[o]);
          }
}

static void depthwise(const sc_task *task, const isa *target, candidates *c) {
  static const char *const frees[] = {"p", "q", "c"};
  int q = size_of(task, "q"), ch = size_of(task, "c"), r = size_of(task, "r"), s = size_of(task, "s");
  for (int vectors = 1; vectors <= 4; vectors++)
    for (int tq = 1; tq <= 28 && tq <= q; tq++)
      for (int tp = 1; tp <= 4; tp++)
        for (size_t f = 0; f < SC_COUNT_OF(frees); f++) {
          char tile[64];
          int width = vectors * target->lanes, tiles = (q + tq - 1) / tq;
          if (!fits(target, tq * tp * vectors + 2) || width > ch || tq != (q + tiles - 1) / tiles) continue;
          add(c,
              "tile %s, p %d, c %d, r %d, s %d; vector c %d; loop %s; band %s all; band order c p q; pad p peel, q "
              "peel",
              balanced(tile, "q", q, tq, 1), tp, width, r, s, target->lanes, frees[f], frees[f]);
        }
}

void candidates_of(const sc_task *task, const isa *target, candidates *c) {
  c->n = 0;
  if (strcmp(task->op, "matmul") == 0) matmul(task, target, c);
  if (strcmp(task->op, "conv2d") == 0) conv2d(task, target, c);
  if (strcmp(task->op, "depthwise") == 0) depthwise(task, target, c);
}

void candidates_draw(candidates *c, int most, uint64_t seed) {
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  for (int i = 0; i < most && i < c->n; i++) { /* the first `most` of a shuffle */
    int j = i + (int)sc_rng_below(&rng, (uint64_t)(c->n - i));
    char text[BENCH_NAME];
    memcpy(text, c->text[i], sizeof text);
    memcpy(c->text[i], c->text[j], sizeof text);
    memcpy(c->text[j], text, sizeof text);
  }
  if (c->n > most) c->n = most;
}
