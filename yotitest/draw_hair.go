package yotitest

import "math"

// hairstyle is the cut of somebody's hair, or what they wear over it.
type hairstyle int

const (
	crop hairstyle = iota
	quiff
	buzz
	bald
	curls
	bob
	long
	waves
	afro
	bun
	scarf
)

const hairstyles = int(scarf) + 1

// hidesEars reports whether no ears are seen.
func (h hairstyle) hidesEars() bool {
	return h == bob || h == long || h == waves || h == scarf
}

// drawHairBehind draws the hair that the head and the body hide a part of.
func (p *person) drawHairBehind(c *canvas) {
	dark := mix(p.hair, black, 0.3)
	switch p.style {
	case bob:
		c.fill(mirrored(0, -188, 80, -172, 128, -90, 136, 20, 130, 104, 130, 104, 60, 118, 0, 110), dark)
	case long:
		c.fill(mirrored(0, -188, 84, -172, 126, -90, 130, 40, 138, 160, 130, 250, 130, 250, 50, 262, 0, 250), dark)
	case waves:
		c.fill(mirrored(0, -192, 90, -174, 132, -96, 126, -20, 150, 50, 136, 110, 160, 170, 140, 236, 80, 226, 0, 220), dark)
	case afro:
		for i := range 15 {
			sin, cos := math.Sincos(math.Pi * (1.12 - 1.24*float64(i)/14))
			c.fill(ellipse(cos*126, -60-sin*118, 54, 54), p.hair)
		}
	case bun:
		c.fill(ellipse(0, -196, 52, 46), p.hair)
		c.fill(stroke(4, 4, -24, -206, 6, -222, 32, -206), thin(p.hairLight, 0.9))
	case scarf:
		c.fill(mirrored(0, -186, 84, -170, 132, -90, 138, 30, 132, 120, 156, 200, 150, 262, 0, 300), mix(p.hair, black, 0.25))
	default: // nothing is longer than the head
	}
}

// drawHair draws the hair in front of the head.
func (p *person) drawHair(c *canvas) {
	var hair outline
	paint := p.hair
	switch p.style {
	case crop:
		hair = curve(-108, -20, -108, -20, -122, -90, -92, -160, -20, -188, 62, -182, 112, -140, 120, -76, 108, -20, 108, -20,
			98, -66, 84, -98, 84, -98, 40, -106, -20, -116, -62, -128, -62, -128, -88, -92, -98, -60)
	case quiff:
		hair = curve(-107, -24, -107, -24, -118, -90, -104, -140, -110, -176, -60, -214, 30, -222, 96, -196, 116, -140, 118, -80, 107, -24, 107, -24,
			98, -72, 82, -112, 82, -112, 30, -124, -30, -120, -80, -108, -80, -108, -98, -70)
	case buzz:
		paint = thin(p.hair, 0.82)
		hair = curve(-106, -20, -106, -20, -112, -84, -88, -142, -44, -168, 0, -176, 44, -168, 88, -142, 112, -84, 106, -20, 106, -20,
			96, -58, 84, -96, 84, -96, 40, -116, 0, -119, -40, -116, -84, -96, -84, -96, -96, -58)
	case bald:
		c.fill(stroke(14, 4, -62, -120, -30, -140, 6, -146), thin(white, 0.28))
		return
	case curls:
		for i := range 13 {
			t := float64(i) / 12
			sin, cos := math.Sincos(math.Pi * (1.04 - 1.08*t))
			r := 30 + 5*float64(i*7%3)
			c.fill(ellipse(cos*96, -66-sin*92, r, r), p.hair)
		}
		for i := range 6 {
			c.fill(ellipse(float64(i-3)*30+15, -128+2*float64(i*5%7), 27, 25), p.hair)
		}
		for i := range 7 {
			x, y := float64(i-3)*27, -148+float64((i-3)*(i-3))*4
			c.fill(stroke(3, 3, x-11, y+4, x-4, y-8, x+9, y-4), thin(p.hairLight, 0.8))
		}
		return
	case bob:
		hair = mirrored(0, -190, 82, -176, 124, -100, 130, 20, 122, 100, 122, 100, 96, 96, 96, 96, 104, 20, 94, -62, 94, -62, 40, -70, 0, -72)
	case long:
		hair = mirrored(0, -190, 86, -174, 122, -96, 124, 30, 132, 150, 120, 246, 120, 246, 94, 200, 102, 80, 104, -20, 78, -96, 0, -146, 0, -146)
	case waves:
		hair = curve(-30, -186, 60, -190, 118, -130, 124, -50, 116, 10, 142, 70, 124, 120, 146, 180, 120, 232, 120, 232, 104, 180, 112, 110, 98, 50, 104, -30, 60, -90, -30, -142, -30, -142,
			-70, -96, -98, -40, -104, 20, -98, 60, -116, 110, -104, 170, -124, 232, -124, 232, -148, 180, -126, 120, -142, 66, -118, 10, -124, -60, -104, -140)
	case afro:
		hair = mirrored(0, -196, 90, -176, 128, -100, 112, -10, 112, -10, 100, -60, 70, -104, 30, -114, 0, -116)
	case bun:
		hair = mirrored(0, -172, 70, -164, 112, -110, 112, -20, 112, -20, 98, -64, 72, -110, 30, -128, 0, -132)
	case scarf:
		hair = ring(
			mirrored(0, -188, 80, -174, 124, -100, 128, 20, 110, 110, 118, 180, 100, 240, 0, 268),
			mirrored(0, -118, 52, -108, 86, -70, 92, 0, 88, 66, 66, 116, 36, 140, 0, 148))
	}
	head := p.head()
	c.within(head, func() {
		if p.style != buzz {
			lower := make(outline, len(hair))
			for i, q := range hair {
				lower[i] = point{q.x + 2, q.y + 11}
			}
			c.fill(lower, thin(p.shade, 0.75))
		}
	})
	c.fill(hair, paint)
	c.within(hair, func() {
		switch p.style {
		case buzz:
		case scarf:
			c.fill(stroke(3, 5, -70, 128, -30, 172, 40, 186, 90, 160), thin(p.hairLight, 0.6))
			c.fill(stroke(3, 5, -84, 176, -36, 214, 30, 222, 84, 204), thin(p.hairLight, 0.6))
			c.fill(stroke(5, 3, -98, -40, -76, -120, -20, -152, 40, -150), thin(p.hairLight, 0.6))
		default:
			c.fill(stroke(12, 3, -84, -126, -40, -164, 30, -172), thin(p.hairLight, 0.75))
			c.fill(stroke(5, 2, -70, -106, -34, -140, 30, -150), thin(p.hairLight, 0.6))
		}
	})
}
