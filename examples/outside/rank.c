/* Says which schedcast this program was built with, and where its data files are. */
#include <stdio.h>

#include <schedcast/base/base.h>

int main(void) {
  char data[4096];
  sc_data_dir(data, sizeof data);
  printf("schedcast %s with %s\n", sc_version(), data);
  return 0;
}
