/* SPDX-License-Identifier: MIT */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

/*
 * steps.h - how many instructions is one call that finds what it needs at hand?
 *
 * A child makes each call once it is warm; the parent single-steps it from the first
 * instruction of the function to its last and counts. What is counted is what ran: the path
 * that was taken, functions called on the way included, the call itself not.
 *
 * A restartable sequence can not be stepped: each trap would make the kernel start it over.
 * So at the instruction that loads its descriptor (lea ...(%rip)) the parent lets the child run
 * to the end of the sequence, and prints that stretch instead. A sequence is straight, so its
 * length can be read off the disassembly: bench/hitpath does that, and adds up.
 *
 * Output: "name [FILE FROM TO]... COUNT" in the order of the table, addresses as in the file.
 * x86-64 only.
 */

struct path {
	const char *name;
	void *function;
	void (*prepare)(long arguments[2]); /* makes it warm and fills in the arguments */
};

int steps_main(const struct path *paths, int nr_paths);

#endif /* BENCH_STEPS_H */
