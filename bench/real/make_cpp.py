# SPDX-License-Identifier: MIT
"""make_cpp.py - print the C++ file of the clang row: templates, the same text, no headers."""

HEAD = '''
template<int... I> struct list {};
template<int N, int... I> struct count : count<N - 1, N - 1, I...> {};
template<int... I> struct count<0, I...> { using type = list<I...>; };
template<class A, class B> struct pair { A a; B b; };
template<class T, int N> struct array {
	T item[N];
	T &operator[](int i) { return item[i]; }
	template<class F> auto fold(F f, T start) { for (T &t : item) start = f(start, t); return start; }
	template<class F, int... I> auto each(F f, list<I...>) { return (f(item[I]) + ... + 0); }
};
template<class K, class V> struct tree {
	struct node { K key; V value; node *left, *right; int height; } *root = nullptr;
	node *turn(node *n) { node *r = n->right; n->right = r->left; r->left = n; return r; }
	node *put(node *n, node *fresh)
	{
		if (!n) return fresh;
		if (fresh->key < n->key) n->left = put(n->left, fresh);
		else n->right = put(n->right, fresh);
		return n->right && n->right->height > n->height + 1 ? turn(n) : n;
	}
	template<class F> void walk(node *n, F f) { if (n) walk(n->left, f), f(n->key, n->value), walk(n->right, f); }
};
template<int N> struct depth { static constexpr unsigned long value = depth<N - 1>::value * 3 + depth<N - 2>::value; };
template<> struct depth<0> { static constexpr unsigned long value = 1; };
template<> struct depth<1> { static constexpr unsigned long value = 2; };
'''

PART = '''
struct key{n} {{ long k; bool operator<(const key{n} &o) const {{ return (k ^ {k}) < (o.k ^ {k}); }} }};
using pair{n} = pair<key{n}, array<long, {m}>>;
long use{n}(tree<key{n}, pair{n}> &t, pair{n} *p, array<pair<int, long>, {m}> &a)
{{
	long sum = (long)depth<{d}>::value;
	t.walk(t.root, [&](const key{n} &k, pair{n} &v) {{
		sum += k.k + v.b.fold([](long x, long y) {{ return x * {k} + y; }}, sum);
		sum ^= v.b.each([&](long x) {{ return x > sum ? x : -x; }}, typename count<{m}>::type());
	}});
	static typename tree<key{n}, pair{n}>::node fresh;
	fresh.key.k = sum; fresh.value = *p;
	t.root = t.put(t.root, &fresh);
	return sum + a.fold([](auto x, auto y) {{ x.b += y.a * y.b; return x; }}, a[{n} % {m}]).b;
}}'''

print(HEAD)
for n in range(36):
    print(PART.format(n=n, m=6 + n % 11, k=2654435761 * (n + 1) % 65521, d=20 + n % 30))
