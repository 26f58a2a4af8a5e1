package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"github.com/yotiface/yotiface"
)

// faces measures how an image is fetched.
func (b *bench) faces() error {
	s := b.report.section("Fetching a face", `A whole call, with its signature and over TLS; an image of random bytes, so that its base64 `+
		`is four thirds of it (a megabyte is 10⁶ bytes of the image). *By hand*: the official package signs, then `+"`io.ReadAll`, "+
		"`encoding/json` into a struct with a string, `base64`. *Received, thrown away*: what any client has to do before it decodes. "+
		"*Base64 alone*: `base64.StdEncoding.Decode` in memory. *Beyond receiving*: the CPU without that of *received, thrown away*, "+
		`against the same of by hand; where an image is small, the signature is nearly all, and this a small difference of large numbers. Peak heap is what one call `+
		`adds to the heap at the most, garbage that is not collected yet included.`)
	s.head = []string{
		"image", "", "time, ms a MB", "against base64 alone", "CPU, ms a MB", "CPU against by hand", "beyond receiving", "bytes allocated",
		"times the image", "peak heap, times the image",
	}
	for _, size := range b.images {
		if err := b.face(s, size); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) face(s *section, size int) error {
	c, ctx := b.clients, context.Background()
	applicant, face := applicantID(0), faceID(size)
	get := func(client *yotiface.Client) func() error {
		return func() error {
			f, err := client.GetFace(ctx, applicant, face)
			if err == nil && len(f.Data) != size {
				err = errOther
			}
			return err
		}
	}
	var text, decoded []byte // of base64 alone; there for its turn only, so that the heap of the others is small
	subjects := []subject{
		{name: "GetFace", peak: true, call: get(c.yotiface)},
		{name: "DownloadFace", peak: true, call: func() error {
			info, err := c.yotiface.DownloadFace(ctx, applicant, face, io.Discard)
			if err == nil && info.Size != int64(size) {
				err = errOther
			}
			return err
		}},
		{name: "by hand", peak: true, call: func() error {
			image, err := c.hand.getFace(applicant, face)
			if err == nil && len(image) != size {
				err = errOther
			}
			return err
		}},
		{name: "received, thrown away", call: func() error { return c.hand.discardFace(applicant, face) }},
		{
			name: "base64 alone",
			before: func() error {
				text = bytes.TrimSuffix(bytes.TrimPrefix(faceJSON(image(size)), []byte(faceBefore)), []byte(faceAfter))
				decoded = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
				return nil
			},
			call: func() error {
				_, err := base64.StdEncoding.Decode(decoded, text)
				return err
			},
			after: func(*sample) error {
				text, decoded = nil, nil
				return nil
			},
		},
		{name: "GetFace, length not declared", peak: true, call: get(c.yotifaceUndeclared)},
	}
	for i := range subjects {
		subjects[i].calls = max(b.calls(min(100, 20_000_000/size)), 1)
		subjects[i].warm = 1
	}
	all, err := interleave(b.rounds, subjects)
	if err != nil {
		return err
	}
	ours, download, hand, receive, alone := all[0], all[1], all[2], all[3], all[4]
	megabytes := float64(size) / 1e6
	for _, one := range all {
		beyond, peak := "", ""
		if one.name != alone.name && one.name != receive.name {
			values := make([]float64, b.rounds)
			for i := range values {
				least := receive.samples[i].cpu
				values[i] = (one.samples[i].cpu - least) / (hand.samples[i].cpu - least)
			}
			beyond = times(spreadOf(values))
		}
		if one.peak {
			peak = digits(one.median(peakOf) / float64(size))
		}
		s.row(megabyte(size), one.name, digits(one.median(wallTime)*1e3/megabytes), times(ratio(one, alone, wallTime)),
			digits(one.median(processor)*1e3/megabytes), times(ratio(one, hand, processor)), beyond,
			digits(one.median(allocated)), digits(one.median(allocated)/float64(size)), peak)
	}
	name := func(what string) string { return fmt.Sprintf("%s of %s: %s", what, megabyte(size), "%s") }
	b.report.target(fmt.Sprintf(name("GetFace"), "bytes allocated, times the image"), ours.spread(allocated).over(float64(size)), "≤", 1.05)
	b.report.target(fmt.Sprintf(name("GetFace"), "CPU against by hand"), ratio(ours, hand, processor), "≤", 0.25)
	b.report.target(fmt.Sprintf(name("DownloadFace"), "KiB allocated"), download.spread(allocated).over(1<<10), "<", 128)
	b.report.target(fmt.Sprintf(name("DownloadFace"), "CPU against by hand"), ratio(download, hand, processor), "≤", 0.20)
	if size == b.images[0] {
		const page = 8 << 10 // what Go's allocator rounds a large object up to
		least := float64((size+page-1)/page*page) / float64(size)
		s.note("An image of %s takes %s times its bytes in pages of 8 KiB, and a call that throws the answer away %s times: GetFace "+
			"cannot allocate less than %s.", megabyte(size), digits(least), digits(receive.median(allocated)/float64(size)),
			digits(least+receive.median(allocated)/float64(size)))
	}
	return nil
}

func megabyte(size int) string {
	if size < 1e6 {
		return fmt.Sprintf("%d KB", size/1e3)
	}
	return fmt.Sprintf("%d MB", size/1e6)
}

// flow measures the main job: the session, the applicants that matched, and their faces.
func (b *bench) flow() error {
	c, ctx := b.clients, context.Background()
	s := b.report.section("From a session to the faces that matched", fmt.Sprintf("`GetSession` and `MatchedFaces`: the session, and an "+
		"applicant and a face of %s for every match. The service holds every answer back by %d ms, as a network does; `MatchedFaces` reads "+
		"four applicants at the same time. *By hand*: as above, and one after the other.", megabyte(documentedFace), delay.Milliseconds()))
	s.head = []string{"matches", "", "requests", "time, ms", "time against by hand", "CPU, ms", "CPU against by hand", "allocations", "bytes allocated, times the images"}
	for _, matches := range b.matches {
		calls := b.calls(max(1, 12/matches))
		all, err := interleave(b.rounds, []subject{
			{name: "yotiface", calls: calls, warm: 1, call: func() error {
				session, err := c.yotifaceHeldBack.GetSession(ctx, sessionID(matches))
				if err != nil {
					return err
				}
				found := 0
				for _, search := range session.FamiliarFaceSearches() {
					faces, err := c.yotifaceHeldBack.MatchedFaces(ctx, search)
					if err != nil {
						return err
					}
					for _, f := range faces {
						if f.Face == nil || len(f.Face.Data) != documentedFace {
							return errOther
						}
						found++
					}
				}
				if found != matches {
					return errOther
				}
				return nil
			}},
			{name: "by hand", calls: calls, warm: 1, call: func() error {
				images, err := c.handSlow.matchedFaces(sessionID(matches))
				if err == nil && len(images) != matches {
					err = errOther
				}
				return err
			}},
		})
		if err != nil {
			return err
		}
		hand := all[1]
		for _, one := range all {
			s.row(digits(float64(matches)), one.name, digits(float64(1+2*matches)), digits(one.median(wallTime)*1e3),
				times(ratio(one, hand, wallTime)), digits(one.median(processor)*1e3), times(ratio(one, hand, processor)),
				digits(one.median(allocations)), digits(one.median(allocated)/float64(matches*documentedFace)))
		}
	}
	return nil
}

// enrol measures how an image is sent.
func (b *bench) enrol() error {
	const size = 5_000_000
	c, ctx, face := b.clients, context.Background(), image(size)
	ready := fmt.Appendf(nil, `{"face":{"data":"%s"}}`, base64.StdEncoding.EncodeToString(face))
	calls := b.calls(5)
	all, err := interleave(b.rounds, []subject{
		{name: "CreateApplicantWithFace", calls: calls, warm: 1, peak: true, call: func() error {
			a, err := c.yotiface.CreateApplicantWithFace(ctx, face)
			if err == nil && a.ID != applicantID(0) {
				err = errOther
			}
			return err
		}},
		{name: "by hand", calls: calls, warm: 1, peak: true, call: func() error {
			id, err := c.hand.enrol(face)
			if err == nil && id != applicantID(0) {
				err = errOther
			}
			return err
		}},
		{name: "signed and sent, body ready", calls: calls, warm: 1, peak: true, call: func() error {
			var answer struct{ ID string }
			return c.hand.read(http.MethodPost, "/applicants", ready, &answer)
		}},
	})
	if err != nil {
		return err
	}
	ours, hand := all[0], all[1]
	s := b.report.section("Enrolling a face", fmt.Sprintf("An applicant with an image of %s. *By hand*: `encoding/json`, signed by the official "+
		"package, sent. *Signed and sent*: a body that was ready before, signed by the official package and sent: what that package takes "+
		"by itself.", megabyte(size)))
	s.head = []string{"", "time, ms", "CPU, ms", "CPU against by hand", "allocations", "bytes allocated, times the image", "peak heap, times the image"}
	for _, one := range all {
		s.row(one.name, digits(one.median(wallTime)*1e3), digits(one.median(processor)*1e3), times(ratio(one, hand, processor)),
			digits(one.median(allocations)), digits(one.median(allocated)/size), digits(one.median(peakOf)/size))
	}
	b.report.target("CreateApplicantWithFace of "+megabyte(size)+": bytes allocated, times the image", ours.spread(allocated).over(size), "≤", 2.5)
	return nil
}
