package yotiface

// A Pool is a set of applicants whose faces are searched together.
type Pool struct {
	ID    string `json:"id"`
	Label string `json:"label,omitzero"` // for display: labels are not unique
}
