"""The processes of a platform under test, stock kubectl on it, and things to run there."""

from tests.contract.cluster.kubectl import KUBECTL as KUBECTL
from tests.contract.cluster.kubectl import Kubectl as Kubectl
from tests.contract.cluster.objects import conditions as conditions
from tests.contract.cluster.objects import container as container
from tests.contract.cluster.objects import deployment as deployment
from tests.contract.cluster.objects import pod as pod
from tests.contract.cluster.running import CONTROLLERS as CONTROLLERS
from tests.contract.cluster.running import Platform as Platform
from tests.contract.cluster.running import until as until
