package yotitest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"slices"
)

// point is a place on a drawing: x to the right, y down.
type point struct{ x, y float64 }

// outline is a closed line.
type outline []point

// canvas is what a person is drawn on, in coordinates around the middle of the
// face. Where those are on the picture is up to place.
type canvas struct {
	img   *image.RGBA
	place func(point) point
	clip  *image.Alpha // nothing is drawn outside; nil: everything is
}

// pose is where on the picture the face is.
type pose struct {
	tilt, scale, dx, dy float64
}

func newCanvas(p pose) *canvas {
	sin, cos := math.Sincos(p.tilt)
	return &canvas{
		img: image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight)),
		place: func(q point) point {
			return point{
				pictureWidth/2 + p.dx + p.scale*(q.x*cos-q.y*sin),
				275 + p.dy + p.scale*(q.x*sin+q.y*cos),
			}
		},
	}
}

func (c *canvas) jpeg() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, c.img, &jpeg.Options{Quality: jpegQuality}); err != nil {
		panic(fmt.Sprintf("yotitest: encoding a drawing: %v", err)) // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

// fill paints an area. The colour may be transparent.
func (c *canvas) fill(o outline, paint color.Color) {
	mask := c.mask(o)
	draw.DrawMask(c.img, mask.Rect, image.NewUniform(paint), image.Point{}, mask, mask.Rect.Min, draw.Over)
}

// within draws what f does, but only inside o.
func (c *canvas) within(o outline, f func()) {
	outer := c.clip
	c.clip = c.mask(o)
	f()
	c.clip = outer
}

// stretched draws what f does, wider by a factor.
func (c *canvas) stretched(factor float64, f func()) {
	plain := c.place
	c.place = func(p point) point { return plain(point{p.x * factor, p.y}) }
	f()
	c.place = plain
}

// mask is how much of each pixel an outline covers. Along the x-axis that is
// exact, along the y-axis it is an average of so many lines per pixel.
func (c *canvas) mask(o outline) *image.Alpha {
	const lines = 6
	placed := make(outline, len(o))
	for i, p := range o {
		placed[i] = c.place(p)
	}
	r := placed.bounds().Intersect(c.img.Rect)
	if c.clip != nil {
		r = r.Intersect(c.clip.Rect)
	}
	mask := image.NewAlpha(r)
	if r.Empty() {
		return mask
	}

	// What is to the right of a side is inside if the side goes down and outside
	// if it goes up, so the sum of all steps up to a pixel is its share.
	width := r.Dx() + 2
	steps := make([]float32, width*r.Dy())
	for i, from := range placed {
		to, step := placed[(i+1)%len(placed)], float32(1)
		if from.y > to.y {
			from, to, step = to, from, -1
		}
		slope := (to.x - from.x) / (to.y - from.y)
		first := max(int(math.Ceil((from.y-float64(r.Min.Y))*lines-0.5)), 0)
		for line := first; line < r.Dy()*lines; line++ {
			y := float64(r.Min.Y) + (float64(line)+0.5)/lines
			if y >= to.y {
				break
			}
			x := min(max(from.x+(y-from.y)*slope-float64(r.Min.X), 0), float64(r.Dx()))
			rest := float32(x - math.Floor(x))
			at := line/lines*width + int(x)
			steps[at] += step * (1 - rest)
			steps[at+1] += step * rest
		}
	}
	for y := range r.Dy() {
		row, share := mask.Pix[y*mask.Stride:][:r.Dx()], float32(0)
		for x := range row {
			share += steps[y*width+x]
			row[x] = uint8(min(max(share, -share)/lines, 1)*0xff + 0.5)
		}
	}
	if c.clip != nil {
		for i := range mask.Pix {
			clip := c.clip.AlphaAt(r.Min.X+i%mask.Stride, r.Min.Y+i/mask.Stride).A
			mask.Pix[i] = uint8(int(mask.Pix[i]) * int(clip) / 0xff) //nolint:gosec // not more than either was
		}
	}
	return mask
}

func (o outline) bounds() image.Rectangle {
	var r image.Rectangle
	for _, p := range o {
		x, y := int(math.Floor(p.x)), int(math.Floor(p.y))
		r = r.Union(image.Rect(x, y, x+1, y+1))
	}
	return r
}

// ellipse is a circle of two radii.
func ellipse(x, y, rx, ry float64) outline {
	return superellipse(x, y, rx, ry, 2)
}

// superellipse is an ellipse that is more of a rectangle the greater power is.
func superellipse(x, y, rx, ry, power float64) outline {
	o := make(outline, 72)
	for i := range o {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(o)))
		o[i] = point{
			x + rx*math.Copysign(math.Pow(math.Abs(cos), 2/power), cos),
			y + ry*math.Copysign(math.Pow(math.Abs(sin), 2/power), sin),
		}
	}
	return o
}

// ring is what is inside of outer and outside of inner, both of which are drawn
// the same way round.
func ring(outer, inner outline) outline {
	hole := slices.Clone(inner)
	slices.Reverse(hole)
	return slices.Concat(outer, outer[:1], hole, hole[:1])
}

// curve is a smooth closed line through places, given as x, y, x, y, … A place
// that is given twice is a corner.
func curve(xy ...float64) outline {
	return outline(smooth(points(xy), true))
}

// mirrored is a curve that is the same on both sides, of which the right one is
// given, from top to bottom.
func mirrored(xy ...float64) outline {
	right := points(xy)
	for _, p := range slices.Backward(right[1 : len(right)-1]) {
		right = append(right, point{-p.x, p.y})
	}
	return outline(smooth(right, true))
}

// stroke is a brush stroke along a smooth line, as wide as from at its beginning
// and as to at its end, with round ends.
func stroke(from, to float64, xy ...float64) outline {
	line := smooth(points(xy), false)
	last := len(line) - 1
	var there, back outline
	for i, p := range line {
		before, after := line[max(i-1, 0)], line[min(i+1, last)]
		angle := math.Atan2(after.y-before.y, after.x-before.x)
		radius := (from + (to-from)*float64(i)/float64(last)) / 2
		around := func(quarters float64) point {
			sin, cos := math.Sincos(angle + quarters*math.Pi/2)
			return point{p.x + radius*cos, p.y + radius*sin}
		}
		if i == 0 {
			there = append(there, around(-1.5), around(-2), around(-2.5))
		}
		back = append(back, around(-1))
		there = append(there, around(1))
		if i == last {
			there = append(there, around(0.5), around(0), around(-0.5))
		}
	}
	slices.Reverse(back)
	return append(there, back...)
}

// polygon has straight sides between places.
func polygon(xy ...float64) outline { return outline(points(xy)) }

func points(xy []float64) []point {
	ps := make([]point, len(xy)/2)
	for i := range ps {
		ps[i] = point{xy[2*i], xy[2*i+1]}
	}
	return ps
}

// smooth is a Catmull-Rom spline through ps.
func smooth(ps []point, closed bool) []point {
	const steps = 10
	at := func(i int) point {
		if closed {
			return ps[(i+len(ps))%len(ps)]
		}
		return ps[min(max(i, 0), len(ps)-1)]
	}
	var line []point
	segments := len(ps) - 1
	if closed {
		segments = len(ps)
	}
	for i := range segments {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		if b == c {
			continue
		}
		for step := range steps {
			t := float64(step) / steps
			line = append(line, point{
				catmullRom(a.x, b.x, c.x, d.x, t),
				catmullRom(a.y, b.y, c.y, d.y, t),
			})
		}
	}
	if !closed {
		line = append(line, ps[len(ps)-1])
	}
	return line
}

func catmullRom(a, b, c, d, t float64) float64 {
	return b + t/2*(c-a+t*(2*a-5*b+4*c-d+t*(3*(b-c)+d-a)))
}

// rgb is an opaque colour, written as 0xRRGGBB.
func rgb(hex int) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff} //nolint:gosec // cuts off what is not this colour's
}

// mix is a with a share of b, from 0 to 1.
func mix(a, b color.NRGBA, share float64) color.NRGBA {
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*share)) }
	return color.NRGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), part(a.A, b.A)}
}

// thin is a colour that lets through what is below.
func thin(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(opacity * 0xff)
	return c
}
