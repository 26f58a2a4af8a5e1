package yotitest

import (
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
)

const (
	pictureWidth  = 480
	pictureHeight = 600
	jpegQuality   = 88
)

// DrawFace draws somebody who does not exist, as a JPEG of 480 by 600 pixels.
// The same seed always gives the same person, another one another person.
func DrawFace(seed int64) []byte {
	p := newPerson(seed)
	c := newCanvas(pose{scale: 1})
	c.wall(p.wall, mix(p.wall, white, 0.45))
	p.draw(c, look{smile: 1, cloth: p.cloth})
	return c.jpeg()
}

// DrawCapture draws the person of [DrawFace] as they look when their liveness is
// captured: the same face in another place, light, pose and mood.
func DrawCapture(seed int64) []byte {
	p := newPerson(seed)
	side := float64(1 - 2*(seed&1))
	c := newCanvas(pose{tilt: 0.06 * side, scale: 1.09, dx: -9 * side, dy: 16})
	c.room(p.wall, side)
	p.draw(c, look{turn: 7 * side, smile: 0.4, cloth: p.otherCloth})
	c.light(side)
	return c.jpeg()
}

// both are the sides of a face, as seen from before it.
var both = [...]float64{-1, 1}

var (
	white = rgb(0xffffff)
	black = rgb(0x1d1a20)
)

// look is what changes about a person from one picture to the next.
type look struct {
	turn  float64 // how far the nose is from the middle
	smile float64 // 0 serious, 1 friendly
	cloth color.NRGBA
}

// person is the features of a face.
type person struct {
	skin, shade, blush, lip color.NRGBA
	hair, hairLight, brow   color.NRGBA
	iris, frame             color.NRGBA // frame is that of the glasses
	cloth, otherCloth       color.NRGBA
	wall                    color.NRGBA

	style   hairstyle
	beard   beard
	glasses glasses
	collar  collar

	jaw, eyes, nose, brows float64 // how much there is of it, from -1 to 1
	width                  float64 // of the head, about 1

	freckles, earrings, aged, grins bool
}

type (
	beard   int
	glasses int
	collar  int
)

const (
	shaved beard = iota
	stubble
	moustache
	fullBeard
)

const beards = int(fullBeard) + 1

const (
	noGlasses glasses = iota
	roundGlasses
	squareGlasses
)

const (
	crewNeck collar = iota
	shirt
	hood
)

const collars = int(hood) + 1

var (
	skins  = []int{0xf9dcc4, 0xf3c9a5, 0xe8b48c, 0xd39b6f, 0xb67c52, 0x8f5b3b, 0x6a4230}
	hairs  = []int{0x262120, 0x3b2a22, 0x5b3a26, 0x84532f, 0xb0552c, 0xd3a65c}
	irises = []int{0x4a3325, 0x6b4a2c, 0x4f6f52, 0x4a76a0, 0x6d7f8d}
	cloths = []int{0x2f4b6e, 0x9b3d3f, 0x3f6b57, 0xd9a441, 0x5a4a78, 0x38404a, 0xc46a4a, 0x5f8aa8}
	walls  = []int{0xcfe0e8, 0xf2ddc9, 0xd7e4d0, 0xe6d5e3, 0xdcdce6, 0xf3e6c4}
)

// newPerson takes each feature from the next bytes of a hash of the seed, which
// stays the same for ever, as no random number generator promises to.
func newPerson(seed int64) person {
	hash := sha256.Sum256(fmt.Appendf(nil, "yotitest person %d", seed))
	rest := hash[:]
	among := func(n int) int {
		v := int(rest[0])
		rest = rest[1:]
		return v % n
	}
	pick := func(colours []int) color.NRGBA { return rgb(colours[among(len(colours))]) }
	amount := func() float64 { return float64(among(201))/100 - 1 }

	var p person
	tone := among(len(skins))
	p.skin = rgb(skins[tone])
	p.shade = mix(p.skin, rgb(0x7a2f1d), 0.2)
	p.blush = thin(rgb(0xe0604c), 0.15-0.016*float64(tone))
	p.lip = mix(p.skin, rgb(0xa8323c), 0.45)

	// The fairer skin is, the more colours hair and eyes may have.
	p.hair = pick(hairs[:max(2, len(hairs)-tone)])
	p.iris = pick(irises[:max(2, len(irises)-tone)])
	if p.aged = among(6) == 0; p.aged {
		p.hair = rgb(0xa3a3a6)
	}
	p.hairLight = mix(p.hair, rgb(0xf4d9b0), 0.18)
	p.brow = mix(p.hair, black, 0.35)
	p.style = hairstyle(among(hairstyles))
	suit := among(len(cloths))
	clothes := func(n int) color.NRGBA { return rgb(cloths[(suit+n)%len(cloths)]) }
	p.cloth, p.otherCloth = clothes(0), mix(clothes(3), black, 0.2)
	if p.style == scarf {
		p.hair, p.hairLight = clothes(5), mix(clothes(5), white, 0.2)
	}
	p.frame = black
	if tone > 3 {
		p.frame = rgb(0xd2b36a)
	}
	p.wall = pick(walls)
	p.collar = collar(among(collars))
	p.glasses = glasses(max(0, among(6)-3)) // none in four of six
	p.jaw, p.eyes, p.nose, p.brows = amount(), amount(), amount(), amount()
	p.width = 1 + 0.06*amount()
	p.grins = among(3) > 0
	p.freckles = tone < 3 && among(4) == 0
	if p.style <= curls {
		p.beard = beard(among(beards))
		p.jaw = math.Abs(p.jaw)
		p.blush = thin(p.blush, 0.08)
	} else {
		p.earrings = among(2) == 0
		p.jaw = -math.Abs(p.jaw)
	}
	return p
}

// draw draws from the back to the front.
func (p *person) draw(c *canvas, l look) {
	c.stretched(p.width, func() { p.drawHairBehind(c) })
	p.drawBody(c, l)
	c.stretched(p.width, func() {
		p.drawHead(c, l)
		p.drawEyes(c, l)
		p.drawMouth(c, l)
		p.drawHair(c)
		p.drawGlasses(c, l)
	})
}

func (p *person) head() outline {
	j := p.jaw
	return mirrored(
		0, -168, 54, -156, 97, -107, 107, -45, 105, 15,
		97+5*j, 66, 72+10*j, 112, 36+8*j, 142, 0, 151+3*j,
	)
}

func (p *person) drawBody(c *canvas, l look) {
	dark, light := mix(l.cloth, black, 0.28), mix(l.cloth, white, 0.25)
	opening := []float64{0, 237, 42, 221, 62, 184, 62, 184}
	switch p.collar {
	case hood:
		c.fill(mirrored(0, 150, 70, 158, 112, 196, 90, 240, 0, 262), dark)
	case shirt:
		opening = []float64{0, 266, 0, 266, 58, 182, 58, 182}
		c.fill(mirrored(0, 140, 58, 156, 64, 190, 0, 220), dark)
	case crewNeck:
	}

	neck := mirrored(0, 60, 50, 60, 50, 60, 49+5*p.jaw, 130, 54+5*p.jaw, 168, 76, 196, 60, 270, 0, 290)
	c.fill(neck, p.skin)
	c.within(neck, func() {
		c.fill(mirrored(0, 90, 70, 90, 64, 150, 30, 180, 0, 187), p.shade)
	})

	torso := mirrored(append(opening, 112, 202, 174, 226, 208, 262, 226, 340, 226, 420, 226, 420, 0, 420)...)
	c.fill(torso, l.cloth)
	c.within(torso, func() {
		c.fill(curve(110, 180, 240, 200, 260, 440, 150, 440, 166, 320), thin(dark, 0.5))
	})

	switch p.collar {
	case hood:
		for _, side := range both {
			c.fill(stroke(34, 22, side*80, 176, side*62, 216, side*6, 248), mix(l.cloth, black, 0.12))
			c.fill(stroke(5, 5, side*32, 246, side*36, 306), light)
		}
	case shirt:
		c.fill(stroke(3, 3, 0, 266, 0, 420), dark)
		for _, side := range both {
			c.fill(polygon(side*58, 160, side*1, 262, side*42, 290, side*88, 198), light)
		}
	case crewNeck:
		c.fill(stroke(14, 14, -66, 182, -45, 220, 0, 238, 45, 220, 66, 182), dark)
	}
}

func (p *person) drawHead(c *canvas, l look) {
	for _, side := range both {
		if p.style.hidesEars() {
			break
		}
		c.fill(ellipse(side*106-l.turn/2, 12, 19, 31), p.skin)
		c.fill(ellipse(side*108-l.turn/2, 14, 10, 19), p.shade)
		if p.earrings {
			c.fill(ellipse(side*110-l.turn/2, 48, 6, 6), rgb(0xe3b84f))
		}
	}
	head := p.head()
	c.fill(head, p.skin)
	c.within(head, func() {
		// The light comes from the left.
		c.fill(curve(70, -170, 130, -120, 140, 100, 60, 170, 0, 170, 66, 110, 84, 40, 84, -40), thin(p.shade, 0.55))
		c.fill(ellipse(-58+l.turn, 62, 30, 20), p.blush)
		c.fill(ellipse(58+l.turn, 62, 30, 20), p.blush)
		p.drawBeard(c, l)
	})
	if p.freckles {
		for i := range 8 {
			x, y := 26+float64(i*37%44), 44+float64(i*23%19)
			c.fill(ellipse(x+l.turn, y, 1.7, 1.7), thin(p.shade, 0.9))
			c.fill(ellipse(l.turn-x, y+2, 1.7, 1.7), thin(p.shade, 0.9))
		}
	}
	if p.aged {
		c.fill(stroke(1, 3, -34+l.turn, 62, -48+l.turn, 80, -50+l.turn, 98), p.shade)
		c.fill(stroke(1, 3, 34+l.turn, 62, 48+l.turn, 80, 50+l.turn, 98), p.shade)
		c.fill(stroke(2, 2, -40+l.turn, -92, 0+l.turn, -96, 40+l.turn, -92), p.shade)
	}
	// The nose stands out furthest, so it turns furthest.
	x, w := l.turn*1.5, 19+3*p.nose
	c.fill(curve(x+4, -20, x+4, -20, x+10, 20, x+w+2, 46, x+w-4, 60, x+2, 62, x+2, 62, x+8, 40), thin(p.shade, 0.85))
	c.fill(stroke(3, 3, x-w+4, 57, x-8, 62, x, 65, x+8, 62, x+w-4, 57), mix(p.shade, rgb(0x4a1d14), 0.35))
}

func (p *person) drawBeard(c *canvas, l look) {
	full := mirrored(0, 82, 30, 78, 58, 92, 84, 50, 98, -6, 98, -6, 120, 40, 90, 180, 0, 190)
	hair := mix(p.hair, p.skin, 0.12)
	switch p.beard {
	case stubble:
		c.fill(full, thin(p.hair, 0.22))
	case fullBeard:
		c.fill(full, hair)
	case moustache:
		x := l.turn * 1.2
		c.fill(curve(x, 76, x+26, 78, x+50, 98, x+50, 98, x+24, 94, x, 90, x-24, 94, x-50, 98, x-50, 98, x-26, 78), hair)
	case shaved:
	}
}

func (p *person) drawEyes(c *canvas, l look) {
	const y = 2
	for _, side := range both {
		x := side*46 + l.turn
		w, h := 25+2*p.eyes, 12+2*p.eyes
		eye := curve(x-w, y+3, x-w, y+3, x-w/2, y-h+2, x+w/4, y-h, x+w, y+1, x+w, y+1, x+w/3, y+h-2, x-w/2, y+h-3)
		c.fill(ellipse(x, y, w+7, h+9), thin(p.shade, 0.35))
		c.fill(eye, rgb(0xfbf8f4))
		c.within(eye, func() {
			c.fill(ellipse(x+l.turn/4, y-1, 12, 12), mix(p.iris, black, 0.35))
			c.fill(ellipse(x+l.turn/4, y-1, 10, 10), p.iris)
			c.fill(ellipse(x+l.turn/4, y-1, 5.5, 5.5), black)
			c.fill(ellipse(x+l.turn/4-4, y-5, 3, 3), white)
			c.fill(curve(x-w-4, y-h-8, x+w+4, y-h-8, x+w+4, y-h+7, x, y-h+4, x-w-4, y-h+8), thin(p.shade, 0.5))
		})
		lid := mix(p.brow, black, 0.4)
		c.fill(stroke(3, 5, x-side*w*0.95, y+2, x-side*w/2, y-h+1.5, x+side*w/4, y-h-0.5, x+side*(w+2), y), lid)
		c.fill(stroke(1.5, 2, x-side*w*0.6, y-h-7, x, y-h-9, x+side*w*0.9, y-h-3), thin(p.shade, 0.9))
		arc := 6 + 4*p.brows
		c.fill(stroke(11, 4, x-side*25, y-32, x+side*3, y-37-arc, x+side*35, y-31), p.brow)
	}
}

func (p *person) drawMouth(c *canvas, l look) {
	x, y, w := l.turn*1.2, 104.0, 32+3*p.nose+5*l.smile
	up := 8 * l.smile // how far the corners are above the middle
	if l.smile > 0.5 && p.grins {
		mouth := curve(x-w, y-up, x-w, y-up, x, y, x+w, y-up, x+w, y-up, x+w/2, y+12, x, y+17, x-w/2, y+12)
		c.fill(curve(x-w-2, y-up-1, x-w-2, y-up-1, x-10, y-5, x, y-3, x+10, y-5, x+w+2, y-up-1, x+w+2, y-up-1, x+w/2, y+18, x, y+24, x-w/2, y+18), p.lip)
		c.fill(mouth, rgb(0x7c2a2e))
		c.within(mouth, func() {
			c.fill(curve(x-w, y-up-4, x+w, y-up-4, x+w*0.7, y+4, x, y+9, x-w*0.7, y+4), rgb(0xfdfaf5))
		})
	} else {
		c.fill(curve(x-w, y-up, x-w, y-up, x-11, y-8, x, y-5, x+11, y-8, x+w, y-up, x+w, y-up, x+w/2, y+11, x, y+14, x-w/2, y+11), p.lip)
		c.fill(stroke(3, 3, x-w-2, y-up, x-w/2, y+1, x, y+1, x+w/2, y+1, x+w+2, y-up), mix(p.lip, rgb(0x3a1014), 0.55))
	}
	c.fill(stroke(2, 4, x-12, y+34, x, y+36, x+12, y+34), thin(p.shade, 0.8))
}

func (p *person) drawGlasses(c *canvas, l look) {
	if p.glasses == noGlasses {
		return
	}
	power, h := 2.0, 33.0
	if p.glasses == squareGlasses {
		power, h = 4, 27
	}
	x, y := l.turn, 5.0
	for _, side := range both {
		at := x + side*46
		c.fill(superellipse(at, y, 36, h, power), thin(white, 0.13))
		c.fill(ring(superellipse(at, y, 39, h+3, power), superellipse(at, y, 34, h-2, power)), p.frame)
		c.fill(stroke(6, 5, x+side*84, y-8, side*108, y-4), p.frame)
	}
	c.fill(stroke(5, 5, x-9, y-4, x, y-9, x+9, y-4), p.frame)
}

// wall paints what is behind somebody who sits for a photograph.
func (c *canvas) wall(plain, lit color.NRGBA) {
	draw.Draw(c.img, c.img.Rect, image.NewUniform(plain), image.Point{}, draw.Src)
	c.fill(ellipse(0, -10, 214, 230), lit)
}

// room paints what is behind somebody who holds a telephone.
func (c *canvas) room(wall color.NRGBA, side float64) {
	wall = mix(wall, rgb(0x7f8896), 0.55)
	draw.Draw(c.img, c.img.Rect, image.NewUniform(wall), image.Point{}, draw.Src)
	c.fill(polygon(-400, 190, 400, 190, 400, 500, -400, 500), mix(wall, black, 0.18))
	frame := mix(wall, white, 0.55)
	c.fill(polygon(side*128, -360, side*300, -360, side*300, -40, side*128, -40), frame)
	for _, y := range []float64{-340, -188} {
		c.fill(polygon(side*140, y, side*206, y, side*206, y+140, side*140, y+140), rgb(0xdcebf5))
		c.fill(polygon(side*218, y, side*300, y, side*300, y+140, side*218, y+140), rgb(0xdcebf5))
	}
	c.fill(polygon(-side*240, -210, -side*142, -210, -side*142, -90, -side*240, -90), mix(wall, black, 0.3))
	c.fill(polygon(-side*240, -200, -side*152, -200, -side*152, -100, -side*240, -100), mix(wall, rgb(0xd9a441), 0.35))
}

// light brightens the picture on one side, as a window does, and darkens it
// towards the corners, as a cheap lens does.
func (c *canvas) light(side float64) {
	for y := range pictureHeight {
		for x := range pictureWidth {
			dx, dy := float64(x)/pictureWidth*2-1, float64(y)/pictureHeight*2-1
			bright := 1.0 + 0.1*dx*side - 0.1*(dx*dx+dy*dy)/2
			i := c.img.PixOffset(x, y)
			for n, tint := range []float64{0.98, 1, 1.03} {
				c.img.Pix[i+n] = uint8(min(float64(c.img.Pix[i+n])*bright*tint, 0xff))
			}
		}
	}
}
