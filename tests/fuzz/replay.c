/* SPDX-License-Identifier: MIT */
/*
 * replay.c - the corpus through the fuzz target, without a fuzzer: replay FILE-OR-FOLDER...
 *
 * One TAP line a folder, so that the corpus may grow. Each file runs twice: with a cold heap and a warm one.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	static uint8_t data[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return 0;
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, n);
	LLVMFuzzerTestOneInput(data, n);
	return 1;
}

int main(int argc, char **argv)
{
	printf("TAP version 13\n1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *entry;
		char path[4096];
		int files = 0;

		while (dir && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			files += replay(path);
		}
		if (dir)
			closedir(dir);
		printf("%sok %d - fuzz.the_corpus_holds\n# %d files\n", files ? "" : "not ", i,
		       files);
	}
	return 0;
}
