package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
)

const segmentBytes = 500 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type label struct{ name, value string }

type chunkMeta struct {
	first, last int64
	ref         uint64
}

type written struct {
	labels []label
	chunks []chunkMeta
}

// One block of Prometheus' storage on the disk: chunks, index and meta.json (tsdb/docs/format).
type block struct {
	folder   string
	segments int
	file     *bufio.Writer
	closing  *os.File
	offset   uint64
	samples  int
	chunks   int
	series   []written // in the order of their labels
}

func newBlock(folder string) *block {
	must(os.MkdirAll(filepath.Join(folder, "chunks"), 0o755))
	made := &block{folder: folder}
	made.segment()
	return made
}

func (b *block) segment() {
	b.closeSegment()
	b.segments++
	file, err := os.Create(filepath.Join(b.folder, "chunks", fmt.Sprintf("%06d", b.segments)))
	must(err)
	b.closing, b.file, b.offset = file, bufio.NewWriterSize(file, 1<<20), 0
	b.put(binary.BigEndian.AppendUint32(nil, 0x85BD40DD))
	b.put([]byte{1, 0, 0, 0})
}

func (b *block) closeSegment() {
	if b.file != nil {
		must(b.file.Flush())
		must(b.closing.Close())
	}
}

func (b *block) put(bytes []byte) {
	_, err := b.file.Write(bytes)
	must(err)
	b.offset += uint64(len(bytes))
}

func (b *block) addChunk(one *chunk) chunkMeta {
	if b.offset > segmentBytes {
		b.segment()
	}
	ref := uint64(b.segments-1)<<32 | b.offset
	body := append([]byte{1}, one.data...)
	b.put(binary.AppendUvarint(nil, uint64(len(one.data))))
	b.put(body)
	b.put(binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli)))
	b.samples += one.count
	b.chunks++
	return chunkMeta{one.first, one.last, ref}
}

func (b *block) close(ulid string, from, until int64) {
	b.closeSegment()
	must(os.WriteFile(filepath.Join(b.folder, "index"), b.index(), 0o644))
	meta := map[string]any{
		"ulid": ulid, "minTime": from, "maxTime": until, "version": 1,
		"stats":      map[string]int{"numSamples": b.samples, "numSeries": len(b.series), "numChunks": b.chunks},
		"compaction": map[string]any{"level": 1, "sources": []string{ulid}},
	}
	text, err := json.Marshal(meta)
	must(err)
	must(os.WriteFile(filepath.Join(b.folder, "meta.json"), text, 0o644))
}

// The index, whole: 40 MB at the most.
func (b *block) index() []byte {
	out := binary.BigEndian.AppendUint32(nil, 0xBAAAD700)
	out = append(out, 2)
	var toc [6]uint64 // symbols, series, label indices, their offsets, postings, their offsets

	symbols, numbers := b.symbols()
	toc[0] = uint64(len(out))
	section := binary.BigEndian.AppendUint32(nil, uint32(len(symbols)))
	for _, one := range symbols {
		section = appendText(section, one)
	}
	out = appendSection(out, section)

	toc[1] = uint64(len(out))
	postings := map[label][]uint32{}
	for _, one := range b.series {
		out = append(out, make([]byte, (16-len(out)%16)%16)...)
		id := uint32(len(out) / 16)
		entry := appendSeries(nil, one, numbers)
		out = append(binary.AppendUvarint(out, uint64(len(entry))), entry...)
		out = binary.BigEndian.AppendUint32(out, crc32.Checksum(entry, castagnoli))
		postings[label{}] = append(postings[label{}], id)
		for _, of := range one.labels {
			postings[of] = append(postings[of], id)
		}
	}
	toc[2], toc[4] = uint64(len(out)), uint64(len(out)) // readers of version 2 take label indices from postings

	keys := make([]label, 0, len(postings))
	for key := range postings {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareLabels)
	table := binary.BigEndian.AppendUint32(nil, uint32(len(keys)))
	for _, key := range keys {
		out = append(out, make([]byte, (4-len(out)%4)%4)...)
		table = append(table, 2)
		table = appendText(appendText(table, key.name), key.value)
		table = binary.AppendUvarint(table, uint64(len(out)))
		ids := binary.BigEndian.AppendUint32(nil, uint32(len(postings[key])))
		for _, id := range postings[key] {
			ids = binary.BigEndian.AppendUint32(ids, id)
		}
		out = appendSection(out, ids)
	}
	toc[3] = uint64(len(out))
	out = appendSection(out, make([]byte, 4))
	toc[5] = uint64(len(out))
	out = appendSection(out, table)
	var end []byte
	for _, at := range toc {
		end = binary.BigEndian.AppendUint64(end, at)
	}
	return binary.BigEndian.AppendUint32(append(out, end...), crc32.Checksum(end, castagnoli))
}

func (b *block) symbols() ([]string, map[string]uint64) {
	numbers := map[string]uint64{"": 0}
	for _, one := range b.series {
		for _, of := range one.labels {
			numbers[of.name], numbers[of.value] = 0, 0
		}
	}
	symbols := make([]string, 0, len(numbers))
	for one := range numbers {
		symbols = append(symbols, one)
	}
	slices.Sort(symbols)
	for number, one := range symbols {
		numbers[one] = uint64(number)
	}
	return symbols, numbers
}

func appendSeries(entry []byte, one written, numbers map[string]uint64) []byte {
	entry = binary.AppendUvarint(entry, uint64(len(one.labels)))
	for _, of := range one.labels {
		entry = binary.AppendUvarint(entry, numbers[of.name])
		entry = binary.AppendUvarint(entry, numbers[of.value])
	}
	entry = binary.AppendUvarint(entry, uint64(len(one.chunks)))
	for number, of := range one.chunks {
		if number == 0 {
			entry = binary.AppendVarint(entry, of.first)
			entry = binary.AppendUvarint(entry, uint64(of.last-of.first))
			entry = binary.AppendUvarint(entry, of.ref)
			continue
		}
		before := one.chunks[number-1]
		entry = binary.AppendUvarint(entry, uint64(of.first-before.last))
		entry = binary.AppendUvarint(entry, uint64(of.last-of.first))
		entry = binary.AppendVarint(entry, int64(of.ref-before.ref))
	}
	return entry
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

func appendSection(out, section []byte) []byte {
	out = append(binary.BigEndian.AppendUint32(out, uint32(len(section))), section...)
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(section, castagnoli))
}
