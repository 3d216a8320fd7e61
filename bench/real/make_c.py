# SPDX-License-Identifier: MIT
"""make_c.py - print the C file of the gcc row: the same text every time, no headers."""

FUNCTION = '''
struct s{n} {{ int a[{m}]; struct s{n} *next; long (*call)(long, struct s{n} *); }};
static long step{n}(long x, struct s{n} *s)
{{
	long sum = x;

	for (int i = 0; i < {m}; i++) {{
		s->a[i] += (int)(sum * {k}) ^ i;
		if (s->a[i] % {d} == 0)
			sum += s->a[(i + {n}) % {m}];
		else if (s->next && s->next->a[i] > s->a[i])
			sum -= s->next->a[i] >> 2;
		switch (s->a[i] & 7) {{
		case 0: sum ^= 0x{k:x}; break;
		case 1: sum += i * {d}; break;
		case 3: sum = sum << 1 | sum >> 63; break;
		case 6: s->call = step{n}; break;
		}}
	}}
	return s->next ? s->next->call(sum, s->next) : sum;
}}
long run{n}(struct s{n} *s, long x)
{{
	while (x-- > 0 && s) {{
		x += step{n}(x, s) & 3;
		s = s->next;
	}}
	return x;
}}'''

for n in range(50):
    print(FUNCTION.format(n=n, m=8 + n % 9, k=2654435761 * (n + 1) % 65521, d=3 + n % 5))
