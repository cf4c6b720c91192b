// SPDX-License-Identifier: Apache-2.0

// Reads a log of ours with the Go project's own note and tlog packages (golang.org/x/mod/sumdb),
// the code behind the Go checksum database, and a CBOR library; then makes a log with them.
//
//	check_log FOLDER OTHER   FOLDER as interop_log wrote it; OTHER gets a log made by Go
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func demand(holds bool, format string, args ...any) {
	if !holds {
		fail(format, args...)
	}
}

// tlogPath is the tile's path below the log: C2SP leaves out the height that Go's layout has.
func tlogPath(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", t.H), "tile/", 1)
}

// tiles reads a log's folder as a client would over HTTP.
type tiles struct{ folder string }

func (r tiles) Height() int { return height }
func (r tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range wanted {
		data, err := os.ReadFile(filepath.Join(r.folder, tlogPath(t)))
		if err != nil && t.W < 1<<height { // the full tile serves for a partial one that is gone
			full := t
			full.W = 1 << height
			data, err = os.ReadFile(filepath.Join(r.folder, tlogPath(full)))
			if err == nil {
				data = data[:t.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
func (r tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// openCheckpoint verifies a checkpoint and reads its text.
func openCheckpoint(msg []byte, verifier note.Verifier) (origin string, tree tlog.Tree) {
	n := must(note.Open(msg, note.VerifierList(verifier)))
	demand(len(n.Sigs) == 1 && len(n.UnverifiedSigs) == 0, "signatures of %q", n.Text)
	lines := strings.Split(n.Text, "\n")
	demand(len(lines) == 4 && lines[3] == "", "lines of %q", n.Text)
	tree.N = must(strconv.ParseInt(lines[1], 10, 64))
	tree.Hash = must(tlog.ParseHash(lines[2]))
	return lines[0], tree
}

// readEntries reads all entry bundles.
func readEntries(folder string, size int64) [][]byte {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		t := tlog.Tile{H: height, L: -1, N: n, W: 256}
		if size-n*256 < 256 {
			t.W = int(size - n*256)
		}
		// A level of -1 is Go's "data"; C2SP says "entries".
		name := strings.Replace(tlogPath(t), "tile/data/", "tile/entries/", 1)
		data := must(os.ReadFile(filepath.Join(folder, name)))
		for len(data) > 0 {
			demand(len(data) >= 2, "%s: cut", name)
			length := int(binary.BigEndian.Uint16(data))
			demand(len(data)-2 >= length, "%s: cut", name)
			entries = append(entries, data[2:2+length])
			data = data[2+length:]
		}
	}
	demand(int64(len(entries)) == size, "%d entries in bundles, %d in the tree", len(entries), size)
	return entries
}

func parseHashes(words []string) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, len(words))
	for _, word := range words {
		var h tlog.Hash
		copy(h[:], must(hex.DecodeString(word)))
		hashes = append(hashes, h)
	}
	return hashes
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func number(word string) int64 { return must(strconv.ParseInt(word, 10, 64)) }

// checkClaims compares every proof of ours with the one that Go makes of our tiles.
func checkClaims(folder string, tree tlog.Tree, reader tlog.HashReader, entries [][]byte) {
	inclusion, consistency := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(string(must(os.ReadFile(filepath.Join(folder, "claims"))))), "\n") {
		words := strings.Fields(line)
		ours := parseHashes(words[3:])
		switch words[0] {
		case "inclusion":
			index := number(words[2])
			demand(number(words[1]) == tree.N, "%s", line)
			theirs := must(tlog.ProveRecord(tree.N, index, reader))
			demand(same(ours, theirs), "inclusion of %d differs", index)
			leaf := tlog.RecordHash(entries[index])
			if err := tlog.CheckRecord(ours, tree.N, tree.Hash, index, leaf); err != nil {
				fail("entry %d: %v", index, err)
			}
			leaf[0] ^= 1
			demand(tlog.CheckRecord(ours, tree.N, tree.Hash, index, leaf) != nil, "another leaf at %d", index)
			inclusion++
		case "consistency":
			first := number(words[1])
			theirs := must(tlog.ProveTree(tree.N, first, reader))
			demand(same(ours, theirs), "consistency from %d differs", first)
			old := must(tlog.TreeHash(first, reader))
			if err := tlog.CheckTree(ours, tree.N, tree.Hash, first, old); err != nil {
				fail("consistency from %d: %v", first, err)
			}
			consistency++
		default:
			fail("claim %q", line)
		}
	}
	demand(inclusion == int(tree.N) && consistency == int(tree.N), "%d and %d claims", inclusion, consistency)
}

// receipt is a COSE_Sign1 (RFC 9052) with the proofs of RFC 9942.
type receipt struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int]map[int][][]byte
	Payload     []byte
	Signature   []byte
}

type inclusionProof struct {
	_    struct{} `cbor:",toarray"`
	Size int64
	Leaf int64
	Path [][]byte
}

type claims struct {
	Issuer string `cbor:"1,keyasint"`
	Time   int64  `cbor:"6,keyasint"`
}

type protected struct {
	Alg    int    `cbor:"1,keyasint"`
	Claims claims `cbor:"15,keyasint"`
	Vds    int    `cbor:"395,keyasint"`
}

type sigStructure struct {
	_         struct{} `cbor:",toarray"`
	Context   string
	Protected []byte
	External  []byte
	Payload   []byte
}

func checkReceipt(data []byte, origin string, key ed25519.PublicKey, entry func(int64) []byte, root func(int64) tlog.Hash) {
	demand(data[0] == 0xd2, "a receipt without tag 18")
	var r receipt
	if err := cbor.Unmarshal(data[1:], &r); err != nil {
		fail("receipt: %v", err)
	}
	var head protected
	if err := cbor.Unmarshal(r.Protected, &head); err != nil {
		fail("receipt: %v", err)
	}
	demand(head.Alg == -8 && head.Vds == 1 && head.Claims.Issuer == origin, "header of a receipt: %v", head)
	demand(r.Payload == nil && len(r.Unprotected[396][-1]) == 1, "parts of a receipt")
	var proof inclusionProof
	if err := cbor.Unmarshal(r.Unprotected[396][-1][0], &proof); err != nil {
		fail("receipt: %v", err)
	}
	var path tlog.RecordProof
	for _, hash := range proof.Path {
		var h tlog.Hash
		demand(len(hash) == len(h), "hash of %d bytes", len(hash))
		copy(h[:], hash)
		path = append(path, h)
	}
	want := root(proof.Size)
	if err := tlog.CheckRecord(path, proof.Size, want, proof.Leaf, tlog.RecordHash(entry(proof.Leaf))); err != nil {
		fail("receipt for %d in %d: %v", proof.Leaf, proof.Size, err)
	}
	signed := must(cbor.Marshal(sigStructure{Context: "Signature1", Protected: r.Protected, External: []byte{}, Payload: want[:]}))
	demand(ed25519.Verify(key, signed, r.Signature), "signature of a receipt for %d in %d", proof.Leaf, proof.Size)
	want[0] ^= 1
	other := must(cbor.Marshal(sigStructure{Context: "Signature1", Protected: r.Protected, External: []byte{}, Payload: want[:]}))
	demand(!ed25519.Verify(key, other, r.Signature), "a receipt holds for another root")
}

func files(folder string) []string {
	var names []string
	for _, entry := range must(os.ReadDir(folder)) {
		names = append(names, filepath.Join(folder, entry.Name()))
	}
	demand(len(names) > 0, "%s is empty", folder)
	return names
}

// checkNotes: each bit of a checkpoint counts, for Go's reader as for ours. Only in the last
// character of a signature Go takes bits that mean nothing in base64; ours refuses those as well.
func checkNotes(msg []byte, verifier note.Verifier) {
	good := must(note.Open(msg, note.VerifierList(verifier)))
	signature := must(base64.StdEncoding.DecodeString(good.Sigs[0].Base64))
	strays := 0
	for bit := 0; bit < len(msg)*8; bit++ {
		broken := append([]byte{}, msg...)
		broken[bit/8] ^= 1 << (bit % 8)
		opened, err := note.Open(broken, note.VerifierList(verifier))
		if err != nil {
			continue
		}
		demand(opened.Text == good.Text, "Go opens a checkpoint with bit %d flipped", bit)
		demand(bytes.Equal(must(base64.StdEncoding.DecodeString(opened.Sigs[0].Base64)), signature), "bit %d changes the signature", bit)
		strays++
	}
	demand(strays <= 4, "%d bits of a checkpoint do not count", strays)
}

// writeLog makes a log as Go does: tiles, bundles, a signed checkpoint.
func writeLog(folder string) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "example.com/go-log")
	if err != nil {
		fail("%v", err)
	}
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	const size = 600
	bundles := map[int64]*bytes.Buffer{}
	for i := int64(0); i < size; i++ {
		entry := []byte(fmt.Sprintf("entry %d of a log made by Go", i))
		stored = append(stored, must(tlog.StoredHashes(i, entry, hashes))...)
		if bundles[i/256] == nil {
			bundles[i/256] = &bytes.Buffer{}
		}
		var length [2]byte
		binary.BigEndian.PutUint16(length[:], uint16(len(entry)))
		bundles[i/256].Write(length[:])
		bundles[i/256].Write(entry)
	}
	put := func(name string, data []byte) {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			fail("%v", err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			fail("%v", err)
		}
	}
	for _, t := range tlog.NewTiles(height, 0, size) {
		// Of the partial tiles only those of the final size: one at most on each level.
		if last := size>>(height*t.L) - t.N<<height; t.W < 1<<height && int64(t.W) != last {
			continue
		}
		put("log/"+tlogPath(t), must(tlog.ReadTileData(t, hashes)))
		if t.L == 0 {
			entries := t
			entries.L = -1
			put("log/"+strings.Replace(tlogPath(entries), "tile/data/", "tile/entries/", 1), bundles[t.N].Bytes())
		}
	}
	root := must(tlog.TreeHash(size, hashes))
	text := fmt.Sprintf("example.com/go-log\n%d\n%s\n", size, root)
	put("log/checkpoint", must(note.Sign(&note.Note{Text: text}, must(note.NewSigner(skey)))))
	put("vkey", []byte(vkey))
}

func main() {
	demand(len(os.Args) == 3, "check_log FOLDER OTHER")
	folder, log := os.Args[1], filepath.Join(os.Args[1], "log")
	vkey := string(must(os.ReadFile(filepath.Join(folder, "vkey"))))
	verifier := must(note.NewVerifier(vkey))
	stranger := must(note.NewVerifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"))

	checkpoint := must(os.ReadFile(filepath.Join(log, "checkpoint")))
	origin, tree := openCheckpoint(checkpoint, verifier)
	demand(origin == verifier.Name(), "origin %q", origin)
	_, err := note.Open(checkpoint, note.VerifierList(stranger))
	demand(err != nil, "a checkpoint of ours verifies with another's key")
	checkNotes(checkpoint, verifier)

	// TileHashReader refuses tiles that do not lead to the checkpoint's root.
	reader := tlog.TileHashReader(tree, tiles{log})
	entries := readEntries(log, tree.N)
	var indexes []int64
	for i := int64(0); i < tree.N; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	for i, hash := range must(reader.ReadHashes(indexes)) {
		demand(hash == tlog.RecordHash(entries[i]), "leaf %d is not the hash of its entry", i)
	}
	wrong := tree
	wrong.Hash[0] ^= 1
	_, err = tlog.TileHashReader(wrong, tiles{log}).ReadHashes(indexes)
	demand(err != nil, "tiles lead to any root")
	checkClaims(folder, tree, reader, entries)

	for _, name := range files(filepath.Join(folder, "checkpoints")) {
		_, earlier := openCheckpoint(must(os.ReadFile(name)), verifier)
		demand(fmt.Sprint(earlier.N) == filepath.Base(name), "size of %s", name)
		demand(must(tlog.TreeHash(earlier.N, reader)) == earlier.Hash, "root of %s", name)
	}
	key := must(base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2]))[1:]
	for _, name := range files(filepath.Join(folder, "receipts")) {
		checkReceipt(must(os.ReadFile(name)), origin, key,
			func(leaf int64) []byte { return entries[leaf] },
			func(size int64) tlog.Hash { return must(tlog.TreeHash(size, reader)) })
	}
	writeLog(os.Args[2])
	fmt.Printf("%d entries: notes, tiles, %d inclusion and %d consistency proofs, receipts agree\n", tree.N, tree.N, tree.N)
}
