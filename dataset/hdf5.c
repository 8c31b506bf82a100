/* Columns <-> the HDF5 library: whole files in memory (the core driver), one 1-D dataset a column, gzip 1 + shuffle.
 * HDF5's conventions end here: negative ids, the error stack that prints. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/internal.h"

enum { CHUNK = 16384, GZIP = 1, IMAGE_STEP = 1 << 20 };

/* Name of files that are only in memory. The core driver refuses an image whose name exists, so it must be one that
 * cannot. */
static const char IMAGE_NAME[] = "/dev/null/schedcast";

struct sc_h5 {
  hid_t file;
};

/* Its printing is switched off while we are in it, and the caller's handler put back. */
struct session {
  H5E_auto2_t print;
  void *data;
};

static void enter(struct session *s) {
  H5Eget_auto2(H5E_DEFAULT, &s->print, &s->data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static sc_status leave(struct session *s, bool ok, sc_error *err, const char *what, const char *name) {
  H5Eset_auto2(H5E_DEFAULT, s->print, s->data);
  return ok ? SC_OK : sc_fail(err, SC_FORMAT, "HDF5 cannot %s%s%s", what, *name ? " " : "", name);
}

static hid_t file_type(sc_column_type type) {
  switch (type) {
  case SC_COLUMN_U8: return H5T_STD_U8LE;
  case SC_COLUMN_U16: return H5T_STD_U16LE;
  case SC_COLUMN_U32: return H5T_STD_U32LE;
  case SC_COLUMN_U64: return H5T_STD_U64LE;
  case SC_COLUMN_I64: return H5T_STD_I64LE;
  case SC_COLUMN_F32: return H5T_IEEE_F32LE;
  case SC_COLUMN_F64: return H5T_IEEE_F64LE;
  }
  return -1;
}

/* ---- writing ---- */

sc_status sc_h5_create(sc_h5 **h5, sc_error *err) {
  struct session s;
  *h5 = calloc(1, sizeof **h5);
  if (!*h5) return sc_fail(err, SC_NOMEM, "no memory for a dataset");
  enter(&s);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  bool ok = H5Pset_fapl_core(access, IMAGE_STEP, false) >= 0; /* newer superblocks leave here with a wrong checksum */
  (*h5)->file = ok ? H5Fcreate(IMAGE_NAME, H5F_ACC_TRUNC, H5P_DEFAULT, access) : -1;
  H5Pclose(access);
  ok = (*h5)->file >= 0;
  sc_status status = leave(&s, ok, err, "begin a file", "");
  if (!ok) {
    free(*h5);
    *h5 = NULL;
  }
  return status;
}

/* Opens the group, or makes it; without time stamps, so that equal rows are equal bytes. */
static hid_t group_open(hid_t file, const char *group) {
  if (H5Lexists(file, group, H5P_DEFAULT) > 0) return H5Gopen2(file, group, H5P_DEFAULT);
  hid_t how = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(how, false);
  hid_t made = H5Gcreate2(file, group, H5P_DEFAULT, how, H5P_DEFAULT);
  H5Pclose(how);
  return made;
}

static bool write_doc(hid_t column, const char *doc) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(doc) + 1);
  hid_t attribute = H5Acreate2(column, "doc", type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool ok = attribute >= 0 && H5Awrite(attribute, type, doc) >= 0;
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return ok;
}

sc_status sc_h5_write(sc_h5 *h5, const char *group, const char *name, const char *doc, sc_column_type type,
                      const void *data, size_t n, sc_error *err) {
  struct session s;
  hsize_t size = n, chunk = n < CHUNK ? n : CHUNK;
  enter(&s);
  hid_t where = group_open(h5->file, group), space = H5Screate_simple(1, &size, NULL);
  hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  bool ok = H5Pset_obj_track_times(how, false) >= 0;
  if (n > 0) ok = ok && H5Pset_chunk(how, 1, &chunk) >= 0 && H5Pset_shuffle(how) >= 0 && H5Pset_deflate(how, GZIP) >= 0;
  hid_t column = ok ? H5Dcreate2(where, name, file_type(type), space, H5P_DEFAULT, how, H5P_DEFAULT) : -1;
  ok = column >= 0 && (n == 0 || H5Dwrite(column, file_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0) &&
       write_doc(column, doc);
  if (column >= 0) H5Dclose(column);
  H5Pclose(how);
  H5Sclose(space);
  if (where >= 0) H5Gclose(where);
  return leave(&s, ok, err, "write column", name);
}

sc_status sc_h5_image(sc_h5 *h5, sc_str *out, sc_error *err) {
  struct session s;
  enter(&s);
  ssize_t size = H5Fflush(h5->file, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(h5->file, NULL, 0) : -1;
  char *image = size > 0 ? malloc((size_t)size) : NULL;
  bool ok = image && H5Fget_file_image(h5->file, image, (size_t)size) == size;
  if (ok) sc_str_addn(out, image, (size_t)size);
  free(image);
  return leave(&s, ok && !out->failed, err, "finish a file", "");
}

/* ---- reading ---- */

sc_status sc_h5_open(const char *bytes, size_t len, sc_h5 **h5, sc_error *err) {
  struct session s;
  *h5 = calloc(1, sizeof **h5);
  if (!*h5) return sc_fail(err, SC_NOMEM, "no memory for a dataset");
  enter(&s);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  bool ok = H5Pset_fapl_core(access, IMAGE_STEP, false) >= 0 && /* it copies the bytes */
            H5Pset_file_image(access, (void *)(uintptr_t)bytes, len) >= 0;
  (*h5)->file = ok ? H5Fopen(IMAGE_NAME, H5F_ACC_RDONLY, access) : -1;
  H5Pclose(access);
  ok = (*h5)->file >= 0;
  sc_status status = leave(&s, ok, err, "open the file", "");
  if (!ok) {
    free(*h5);
    *h5 = NULL;
  }
  return status;
}

bool sc_h5_has(sc_h5 *h5, const char *group, const char *name) {
  struct session s;
  char path[96];
  enter(&s);
  snprintf(path, sizeof path, "%s/%s", group, name);
  bool has = H5Lexists(h5->file, path, H5P_DEFAULT) > 0;
  leave(&s, true, NULL, "", "");
  return has;
}

/* A 1-D dataset of exactly this type, or -1. */
static hid_t column_open(sc_h5 *h5, const char *group, const char *name, sc_column_type type, hsize_t *n) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", group, name);
  hid_t column = H5Dopen2(h5->file, path, H5P_DEFAULT);
  if (column < 0) return -1;
  hid_t space = H5Dget_space(column), have = H5Dget_type(column);
  bool ok = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, n, NULL) == 1 &&
            H5Tequal(have, file_type(type)) > 0;
  if (space >= 0) H5Sclose(space);
  if (have >= 0) H5Tclose(have);
  if (ok) return column;
  H5Dclose(column);
  return -1;
}

sc_status sc_h5_size(sc_h5 *h5, const char *group, const char *name, sc_column_type type, size_t *n, sc_error *err) {
  struct session s;
  hsize_t size = 0;
  enter(&s);
  hid_t column = column_open(h5, group, name, type, &size);
  if (column >= 0) H5Dclose(column);
  *n = (size_t)size;
  return leave(&s, column >= 0, err, "find column", name);
}

sc_status sc_h5_read(sc_h5 *h5, const char *group, const char *name, sc_column_type type, size_t first, size_t n,
                     void *data, sc_error *err) {
  struct session s;
  hsize_t size = 0, start = first, count = n;
  if (n == 0) return SC_OK;
  enter(&s);
  hid_t column = column_open(h5, group, name, type, &size);
  bool ok = column >= 0 && first <= size && n <= size - first;
  if (ok) {
    hid_t in = H5Dget_space(column), out = H5Screate_simple(1, &count, NULL);
    ok = H5Sselect_hyperslab(in, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
         H5Dread(column, file_type(type), out, in, H5P_DEFAULT, data) >= 0;
    H5Sclose(in);
    H5Sclose(out);
  }
  if (column >= 0) H5Dclose(column);
  return leave(&s, ok, err, "read column", name);
}

void sc_h5_close(sc_h5 *h5) {
  struct session s;
  if (!h5) return;
  enter(&s);
  H5Fclose(h5->file);
  leave(&s, true, NULL, "", "");
  free(h5);
}
