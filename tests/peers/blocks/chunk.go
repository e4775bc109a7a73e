package main

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const samplesOfChunk = 120

// A chunk of samples in Prometheus' XOR encoding (tsdb/chunkenc/xor.go).
type chunk struct {
	data            []byte
	free            int // bits of the last byte
	count           int
	first, last     int64
	delta           int64
	value           uint64
	leading, window int // of the last value that told them; window 0: none did
}

func (c *chunk) add(at int64, value float64) {
	raw := math.Float64bits(value)
	switch c.count {
	case 0:
		c.data = append(make([]byte, 2, 256), binary.AppendVarint(nil, at)...)
		c.write(raw, 64)
		c.first = at
	case 1:
		c.delta = at - c.last
		for _, one := range binary.AppendUvarint(nil, uint64(c.delta)) {
			c.write(uint64(one), 8)
		}
		c.writeValue(raw)
	default:
		delta := at - c.last
		if change := delta - c.delta; change == 0 {
			c.write(0, 1)
		} else {
			c.write(0b1111, 4)
			c.write(uint64(change), 64)
		}
		c.delta = delta
		c.writeValue(raw)
	}
	c.last, c.value = at, raw
	c.count++
	binary.BigEndian.PutUint16(c.data, uint16(c.count))
}

func (c *chunk) writeValue(raw uint64) {
	changed := raw ^ c.value
	if changed == 0 {
		c.write(0, 1)
		return
	}
	leading, trailing := min(bits.LeadingZeros64(changed), 31), bits.TrailingZeros64(changed)
	if c.window > 0 && leading >= c.leading && trailing >= 64-c.leading-c.window {
		c.write(0b10, 2)
	} else {
		c.leading, c.window = leading, 64-leading-trailing
		c.write(0b11, 2)
		c.write(uint64(leading), 5)
		c.write(uint64(c.window), 6) // 64 is told as 0
	}
	c.write(changed>>(64-c.leading-c.window), c.window)
}

// The lowest bits of a number, the highest of them first.
func (c *chunk) write(number uint64, many int) {
	for many > 0 {
		if c.free == 0 {
			c.data = append(c.data, 0)
			c.free = 8
		}
		now := min(many, c.free)
		part := byte(number >> (many - now) & (1<<now - 1))
		c.data[len(c.data)-1] |= part << (c.free - now)
		c.free -= now
		many -= now
	}
}
