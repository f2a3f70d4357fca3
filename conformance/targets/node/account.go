package node

import (
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// tokenSeconds is for how long the tokens in Secrets are asked. The API server, which signs them, may give less.
const tokenSeconds = 365 * 24 * 3600

// followAccounts fills Secrets of the type kubernetes.io/service-account-token, as the controller of tokens does. It cannot
// sign: the API server is asked for a token that ends with the Secret, or with time.
func (n *Node) followAccounts() error {
	clientset, err := kubernetes.NewForConfig(n.o.Config)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", n.o.Config.Host, err)
	}
	work := newBacklog()
	n.spawn("the tokens of service accounts", work.run)
	pending := map[client.ObjectKey]*corev1.Secret{} // whose account does not exist yet
	try := func(s *corev1.Secret) {
		work.add(func() {
			if err := n.fill(clientset, s); err != nil && n.running.Err() == nil {
				n.o.Tell(fmt.Sprintf("Secret %s/%s gets no token: %v", s.Namespace, s.Name, err))
			}
		})
	}
	core := corev1.SchemeGroupVersion
	if _, err := n.source.Watch(core.WithKind("Secret"), func(e informer.Event) {
		s, ok := e.Object.(*corev1.Secret)
		if !ok || s.Type != corev1.SecretTypeServiceAccountToken {
			return
		}
		if e.Type == watch.Deleted || len(s.Data[corev1.ServiceAccountTokenKey]) > 0 {
			delete(pending, client.ObjectKeyFromObject(s))
			return
		}
		pending[client.ObjectKeyFromObject(s)] = s
		try(s)
	}); err != nil {
		return err
	}
	_, err = n.source.Watch(core.WithKind("ServiceAccount"), func(e informer.Event) {
		if e.Type != watch.Added {
			return
		}
		for _, s := range pending {
			if s.Namespace == e.Object.GetNamespace() && s.Annotations[corev1.ServiceAccountNameKey] == e.Object.GetName() {
				try(s)
			}
		}
	})
	return err
}

// fill writes a token into a Secret. Without the account there is nothing to write yet.
func (n *Node) fill(clientset kubernetes.Interface, s *corev1.Secret) error {
	ctx, name := n.running, s.Annotations[corev1.ServiceAccountNameKey]
	account, err := clientset.CoreV1().ServiceAccounts(s.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	token, err := clientset.CoreV1().ServiceAccounts(s.Namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: new(int64(tokenSeconds)),
			BoundObjectRef:    &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: s.Name, UID: s.UID},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	filled := s.DeepCopy()
	if filled.Data == nil {
		filled.Data = map[string][]byte{}
	}
	if filled.Annotations == nil {
		filled.Annotations = map[string]string{}
	}
	filled.Annotations[corev1.ServiceAccountUIDKey] = string(account.UID)
	filled.Data[corev1.ServiceAccountTokenKey] = []byte(token.Status.Token)
	filled.Data[corev1.ServiceAccountNamespaceKey] = []byte(s.Namespace)
	if ca := n.o.Config.CAData; len(ca) > 0 {
		filled.Data[corev1.ServiceAccountRootCAKey] = ca
	}
	_, err = clientset.CoreV1().Secrets(s.Namespace).Update(ctx, filled, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // a newer version is seen, too
		return nil
	}
	return err
}
