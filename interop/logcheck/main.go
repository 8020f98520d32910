// Logcheck verifies a log that Writ exported, with Go's own transparency log packages and none of Writ's code.
//
// It reads the tree of files of C2SP tlog-tiles, checks the checkpoint's signature against the given verifier key, rebuilds
// the tree from the entry bundles, compares every hash tile and the root, and checks receipts and consistency proofs.
//
// Exit status: 0 everything holds, 1 something does not, 2 usage.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileWidth = 256

func main() {
	vkey := flag.String("vkey", "", "the log's verifier key in note format, or @FILE")
	receipt := flag.String("receipt", "", "a receipt (.tlog-proof) to check")
	entry := flag.String("entry", "", "the entry that the receipt is for; without it, the one in DIR")
	old := flag.String("old", "", "an older checkpoint, which the log must continue")
	proof := flag.String("proof", "", "a consistency proof from -old to DIR's checkpoint, a base64 hash a line")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: logcheck -vkey KEY|@FILE [-old FILE [-proof FILE]] [-receipt FILE [-entry FILE]] [DIR]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *vkey == "" || flag.NArg() > 1 || (flag.NArg() == 0 && (*receipt == "" || *entry == "" || *old != "")) {
		flag.Usage()
		os.Exit(2)
	}
	if err := check(*vkey, flag.Arg(0), *receipt, *entry, *old, *proof); err != nil {
		fmt.Fprintln(os.Stderr, "logcheck:", err)
		os.Exit(1)
	}
}

func check(vkey, dir, receipt, entry, old, proof string) error {
	if file, ok := strings.CutPrefix(vkey, "@"); ok {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		vkey = strings.TrimSuffix(string(text), "\n")
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("the verifier key: %w", err)
	}
	var log *logFiles
	if dir != "" {
		if log, err = readLog(dir, verifier); err != nil {
			return err
		}
		fmt.Printf("%s: %d entries, root %s\n", verifier.Name(), log.tree.N, log.tree.Hash)
	}
	if old != "" {
		if err := checkOld(log, verifier, old, proof); err != nil {
			return fmt.Errorf("%s: %w", old, err)
		}
	}
	if receipt != "" {
		if err := checkReceipt(log, verifier, receipt, entry); err != nil {
			return fmt.Errorf("%s: %w", receipt, err)
		}
	}
	return nil
}

// A logFiles is a log whose every entry was hashed again.
type logFiles struct {
	tree    tlog.Tree
	entries [][]byte
	hashes  tlog.HashReader
}

func readLog(dir string, verifier note.Verifier) (*logFiles, error) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(text, verifier)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	log := &logFiles{tree: tree}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no stored hash %d", index)
			}
			out[i] = stored[index]
		}
		return out, nil
	})
	for n := int64(0); n*tileWidth < tree.N; n++ {
		name := "tile/entries/" + number(n, min(tree.N-n*tileWidth, tileWidth))
		bundle, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		entries, err := split(bundle)
		if err != nil || int64(len(entries)) != min(tree.N-n*tileWidth, tileWidth) {
			return nil, fmt.Errorf("%s: not a bundle of its width (%v)", name, err)
		}
		for _, entry := range entries {
			hashes, err := tlog.StoredHashes(int64(len(log.entries)), entry, reader)
			if err != nil {
				return nil, err
			}
			stored = append(stored, hashes...)
			log.entries = append(log.entries, entry)
		}
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the entries have the root %s, the checkpoint says %s", root, tree.Hash)
	}
	// Every tile that the size asks for, compared with the one that the entries give.
	for _, tile := range tlog.NewTiles(8, 0, tree.N) {
		want, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("tile/%d/%s", tile.L, number(tile.N, int64(tile.W)))
		have, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(have, want) {
			return nil, fmt.Errorf("%s: not the hashes of the entries", name)
		}
	}
	// From here on hashes come from the tiles, each authenticated by the signed root.
	log.hashes = tlog.TileHashReader(tree, files{dir})
	return log, nil
}

// checkOld checks that the log continues an older checkpoint: by its tiles, and by a proof that Writ made.
func checkOld(log *logFiles, verifier note.Verifier, file, proofFile string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(text, verifier)
	if err != nil {
		return err
	}
	if old.N < 1 || old.N > log.tree.N {
		return fmt.Errorf("a checkpoint of %d entries is not one that %d entries continue", old.N, log.tree.N)
	}
	proof, err := tlog.ProveTree(log.tree.N, old.N, log.hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, log.tree.N, log.tree.Hash, old.N, old.Hash); err != nil {
		return err
	}
	if proofFile == "" {
		return nil
	}
	lines, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	var theirs tlog.TreeProof
	for line := range strings.Lines(string(lines)) {
		hash, err := tlog.ParseHash(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		theirs = append(theirs, hash)
	}
	return tlog.CheckTree(theirs, log.tree.N, log.tree.Hash, old.N, old.Hash)
}

// checkReceipt checks a C2SP tlog-proof.
func checkReceipt(log *logFiles, verifier note.Verifier, file, entryFile string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	digits, ok := strings.CutPrefix(lines[1], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return errors.New("no index")
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), verifier)
	if err != nil {
		return err
	}
	var entry []byte
	switch {
	case entryFile != "":
		if entry, err = os.ReadFile(entryFile); err != nil {
			return err
		}
	case index < 0 || index >= int64(len(log.entries)):
		return fmt.Errorf("no entry %d", index)
	default:
		entry = log.entries[index]
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("entry %d is in the log of %d entries\n", index, tree.N)
	return nil
}

// openCheckpoint verifies the note and reads the C2SP tlog-checkpoint in it.
func openCheckpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("not a size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("not a root")
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// split takes an entry bundle apart: big-endian 16-bit lengths, each before its entry.
func split(bundle []byte) (entries [][]byte, err error) {
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, errors.New("it ends within an entry")
		}
		length := int(binary.BigEndian.Uint16(bundle))
		entries, bundle = append(entries, bundle[2:2+length]), bundle[2+length:]
	}
	return entries, nil
}

// number writes the last part of a tile's path, which is not the one of Go's own checksum database.
func number(n, width int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// files reads hash tiles for tlog, which asks for its own paths.
type files struct{ dir string }

func (f files) Height() int { return 8 }

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.dir, "tile", strconv.Itoa(tile.L), number(tile.N, int64(tile.W))))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}
