// SPDX-License-Identifier: MIT
// objects.js - the node row: buffers, strings, JSON, maps, regular expressions, compression and
// freshly compiled functions. Memory of the engine's own heap is mapped; all the rest is malloc's.
'use strict';
const zlib = require('zlib');

let state = 1;
function draw(below) {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor(state / 4294967296 * below);
}

function buffers(count) {
	const live = new Array(2000).fill(null);
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const buffer = Buffer.allocUnsafeSlow(64 + draw(4000));
		buffer[0] = i & 255;
		const slot = draw(live.length);
		if (live[slot])
			sum = (sum + live[slot][0] + live[slot].length) >>> 0;
		live[slot] = buffer;
	}
	return sum;
}

function texts(count) {
	const table = new Map();
	for (let i = 0; i < count; i++)
		table.set('key ' + draw(1e9), { n: i, text: 'x'.repeat(i % 40), list: [i, i + 1] });
	const text = JSON.stringify([...table]);
	const back = new Map(JSON.parse(text));
	const words = text.match(/[a-z]+|\d+/g);
	return back.size + new Set(words).size + [...new Set(words)].sort().length;
}

function compressed(count) {
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const text = Buffer.from(('line ' + draw(1000) + ' of many, ').repeat(200 + draw(100)));
		const packed = zlib.deflateSync(text);
		sum += zlib.inflateSync(packed).length - text.length;
	}
	return sum;
}

function functions(count) {
	let sum = 0;
	for (let i = 0; i < count; i++)
		sum += new Function('a', `let s = ${i}; for (let j = 0; j < a; j++) s += j % ${i + 2}; return s;`)(50);
	return sum;
}

if (compressed(150) !== 0)
	throw new Error('a text did not survive its compression');
if (texts(25000) < 25000)
	throw new Error('keys were lost');
console.log(buffers(60000), functions(1500));
