package apiserver

import "k8s.io/apimachinery/pkg/api/validation"

func limitRangeStrategy() strategy { return strategy{name: validation.NameIsDNSSubdomain} }

func quotaStrategy() strategy { return strategy{name: validation.NameIsDNSSubdomain} }

func (s *Server) podChanged(Change) {}

func (s *Server) builtinAdmission() []Admission {
	return []Admission{lifecycle{s}}
}
