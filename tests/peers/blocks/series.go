package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	daySeconds   = 86_400
	spikeSeconds = 600
)

// One series: its labels, when it begins and ends (milliseconds; the end is not in it), and what it tells.
//
// Level is its mean. A day's and a week's wave, noise and spikes are shares of it; each ten minutes are a spike
// with the likelihood Spikes. As a counter it adds up its level a second, with nanoseconds as cAdvisor has them;
// Grain rounds a gauge. What has no wave, noise or spike is constant.
type series struct {
	Labels      map[string]string
	From, Until int64
	Step        int64
	Level       float64
	Daily       float64
	Weekly      float64
	Noise       float64
	Spikes      float64
	Spike       float64
	Phase       float64
	Grain       float64
	Counts      bool
	Seed        uint64

	labels []label
	at     int64
	total  float64
	chance *rand.Rand
	spiky  *rand.Rand
	spike  float64
	since  int64
}

func (s *series) begin() {
	for name, value := range s.Labels {
		s.labels = append(s.labels, label{name, value})
	}
	slices.SortFunc(s.labels, compareLabels)
	s.at, s.since = s.From, -1
	s.chance = rand.New(rand.NewPCG(s.Seed, 1))
	s.spiky = rand.New(rand.NewPCG(s.Seed, 2))
}

func (s *series) next() float64 {
	level := s.Level
	if s.Daily+s.Weekly+s.Noise+s.Spikes > 0 {
		level *= s.shape()
	}
	s.at += s.Step
	if s.Counts {
		s.total += math.Round(max(0, level)*float64(s.Step)*1e6) / 1e9
		return math.Round(s.total*1e9) / 1e9
	}
	if s.Grain > 0 {
		return math.Round(max(0, level)/s.Grain) * s.Grain
	}
	return level
}

func (s *series) shape() float64 {
	seconds := float64(s.at) / 1000
	turn := 2 * math.Pi
	shape := 1 + s.Daily*math.Sin(turn*(seconds/daySeconds+s.Phase))
	shape += s.Weekly * math.Sin(turn*(seconds/daySeconds/7+s.Phase))
	if part := s.at / 1000 / spikeSeconds; part != s.since {
		s.since, s.spike = part, 0
		if s.spiky.Float64() < s.Spikes {
			s.spike = s.Spike * s.spiky.Float64()
		}
	}
	return (shape + s.spike) * math.Exp(s.Noise*s.chance.NormFloat64())
}
