package apiserver

import (
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func definitionStrategy() strategy {
	return strategy{name: validation.NameIsDNSSubdomain, generation: generationOfSpec}
}

// customResource is what a definition says about the objects of its kind.
type customResource struct{}

func (c *customResource) validate(client.Object) field.ErrorList { return nil }
