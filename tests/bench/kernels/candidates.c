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

/* "i 14*31+13*6": as few tiles as size/tile allows, of two sizes that differ by one unit. */
static void balanced(char *text, const char *dim, int size, int tile, int unit) {
  int units = (size + unit - 1) / unit, n = (size + tile - 1) / tile, small = units / n, large = units % n;
  if (size % unit || large == 0) snprintf(text, 64, size % tile ? "%s %d*%d+%d" : "%s %d*%d", dim, size % unit || size % tile == 0 ? tile : small * unit, size % unit || size % tile == 0 ? size / tile : n, size % tile);
  else snprintf(text, 64, "%s %d*%d+%d*%d", dim, (small + 1) * unit, large, small * unit, n - large);
  if (!(size % unit || large == 0)) return;
  if (size % unit == 0 && large == 0) snprintf(text, 64, "%s %d*%d", dim, small * unit, n);
}

static void matmul(const sc_task *task, candidates *c) {
  static const int tiles[][2] = {{14, 32}, {12, 32}, {13, 32}, {9, 48}, {8, 48}, {6, 64}, {6, 48}, {28, 16}, {24, 16}};
  static const int depths[] = {128, 192, 256, 384, 512, 1024};
  static const int rows[] = {4, 8, 16, 1000};
  bool constant = task->tensor[1].constant;
  int m = size_of(task, "i"), n = size_of(task, "j"), k = size_of(task, "k");
  for (size_t t = 0; t < SC_COUNT_OF(tiles); t++)
    for (size_t d = 0; d < SC_COUNT_OF(depths); d++)
      for (size_t r = 0; r < SC_COUNT_OF(rows); r++)
        for (int packa = 0; packa < 2; packa++) {
          char i[64], j[64], pack_a[64] = "";
          int mr = tiles[t][0], nr = tiles[t][1], tiles_m = (m + mr - 1) / mr;
          if (depths[d] > k || (depths[d] < k && k % depths[d] && depths[d] * 2 > k)) continue;
          if (rows[r] < 1000 && rows[r] >= tiles_m) continue;
          if (mr > m || nr > n) continue;
          balanced(i, "i", m, mr, 1);
          balanced(j, "j", n, nr, 16);
          if (packa) snprintf(pack_a, sizeof pack_a, "; pack A 2 [i/t,k,i%%t]");
          add(c, "tile %s, %s; vector j 16; loop k unroll 4; band k %d; band i %d, j all order j i; band order k i; pack B %d [j/t,k,j%%t]%s",
              i, j, depths[d], rows[r], constant ? 2 : 3, pack_a);
        }
}

static void conv2d(const sc_task *task, candidates *c) {
  static const int ks[] = {16, 32, 48, 64};
  int q = size_of(task, "q"), k = size_of(task, "k"), p = size_of(task, "p"), ch = size_of(task, "c");
  for (size_t t = 0; t < SC_COUNT_OF(ks); t++)
    for (int tq = 4; tq <= 28 && tq <= q; tq++) {
      char tile[64];
      int kt = ks[t], acc = tq * kt / 16;
      if (kt > k || acc > 28 || acc < 10 || (q % tq && q % tq < tq - 2 && tq != 14 && tq != 12 && tq != 10)) continue;
      balanced(tile, "q", q, tq, 1);
      for (int pc = 0; pc < 2; pc++)
        for (int order = 0; order < 3; order++)
          for (int cc = 32; cc <= ch; cc *= 2) {
            static const char *orders[] = {"k p q", "p q k", "p k q"};
            if (cc < ch && cc * 9 * kt * 4 < 24000) continue;
            add(c, "tile %s, k %d, s 3; vector k 16; loop %s; band c %d, r all; band k all, p all, q all order %s; band order c; pad p clamp, q peel; pack W 2 [k/t,r,c,s,k%%t]",
                tile, kt, pc ? "r c" : "c r", cc, orders[order]);
          }
    }
  (void)p;
}

static void depthwise(const sc_task *task, candidates *c) {
  int q = size_of(task, "q"), ch = size_of(task, "c");
  static const char *frees[] = {"p", "q", "c"};
  for (int ct = 16; ct <= 64; ct += 16)
    for (int tq = 2; tq <= 28 && tq <= q; tq++)
      for (int tp = 1; tp <= 4; tp++)
        for (int f = 0; f < 3; f++) {
          char tile[64];
          if (tq * tp * ct / 16 > 26 || tq * tp * ct / 16 < 4 || ct > ch) continue;
          if (q % tq > 0 && q % tq < tq - 1 && tq > 8) continue;
          balanced(tile, "q", q, tq, 1);
          add(c, "tile %s, p %d, c %d, r 3, s 3; vector c 16; loop %s; band %s all; band order c p q; pad p peel, q peel", tile, tp, ct, frees[f], frees[f]);
        }
}

void candidates_of(const sc_task *task, candidates *c) {
  c->n = 0;
  if (strcmp(task->op, "matmul") == 0) matmul(task, c);
  if (strcmp(task->op, "conv2d") == 0) conv2d(task, c);
  if (strcmp(task->op, "depthwise") == 0) depthwise(task, c);
}
