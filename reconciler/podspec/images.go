package podspec

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// Image is what the registry knows of an image.
type Image struct {
	// Reference names exactly this image: <registry>/<repository>@<digest>, of the index if there are several platforms.
	Reference string
	// Platforms maps os/arch[/variant] to what the image runs there.
	Platforms map[string]ImageCommand
}

// ImageCommand is what an image runs by itself.
type ImageCommand struct {
	Entrypoint, Cmd []string
}

// platformCommands tells the launcher, which cannot know before on which platform it will run, the command of each.
const platformCommands = "TEKTON_PLATFORM_COMMANDS"

// lookUpCommands finds the commands of Steps that have none, in their images (§4.11).
func (b *builder) lookUpCommands() error {
	for i := range b.steps {
		s := &b.steps[i]
		if len(s.Command) > 0 {
			continue
		}
		image, err := b.in.Image(s.Image)
		if err != nil {
			return fmt.Errorf("looking up the command of image %q: %w", s.Image, err)
		}
		commands := make(map[string][]string, len(image.Platforms))
		for platform, c := range image.Platforms {
			commands[platform] = c.command(len(s.Args) > 0)
		}
		value, err := json.Marshal(commands) // sorts the platforms
		if err != nil {
			return err
		}
		s.Image = image.Reference
		s.Env = append(s.Env, corev1.EnvVar{Name: platformCommands, Value: string(value)})
	}
	return nil
}

// command is the entrypoint, with the image's own arguments only if the Step has none; or those alone (POD-72).
func (c ImageCommand) command(withArgs bool) []string {
	switch {
	case len(c.Entrypoint) == 0:
		return c.Cmd
	case withArgs:
		return c.Entrypoint
	default:
		return append(append([]string{}, c.Entrypoint...), c.Cmd...)
	}
}
