"""The cluster files for clouds and Kubernetes: as their own programs check them, and closed to strangers."""

import copy
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tic_sweep.cli import cli

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}


def only(required: str = "", **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object", "properties": properties, "required": required.split(), "additionalProperties": False,
    }  # fmt: skip


TEXTS = {"type": "object", "additionalProperties": TEXT}
CONTAINER = only(
    "name image",
    name=TEXT, image=TEXT, resources=only(requests=TEXTS, limits=TEXTS),
    ports={"type": "array", "items": only("containerPort name", containerPort=COUNT, name=TEXT)},
    volumeMounts={"type": "array", "items": only("name mountPath", name=TEXT, mountPath=TEXT)},
)  # fmt: skip
VOLUME = only("name", name=TEXT, persistentVolumeClaim=only("claimName", claimName=TEXT))
POD = only(
    "spec",
    metadata=only(labels=TEXTS),
    spec=only(
        "containers",
        containers={"type": "array", "items": CONTAINER, "minItems": 1},
        volumes={"type": "array", "items": VOLUME}, restartPolicy={"enum": ["Never", "OnFailure"]},
        serviceAccountName=TEXT,
    ),
)  # fmt: skip
RAY_JOB = only(
    "apiVersion kind metadata spec",
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=only("name", name=TEXT),
    spec=only(
        "entrypoint rayClusterSpec",
        entrypoint=TEXT, submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
        backoffLimit=COUNT, shutdownAfterJobFinishes={"type": "boolean"}, ttlSecondsAfterFinished=COUNT,
        activeDeadlineSeconds=COUNT, submitterPodTemplate=POD,
        rayClusterSpec=only(
            "rayVersion authOptions headGroupSpec workerGroupSpecs",
            rayVersion=TEXT,
            authOptions=only("mode", mode={"enum": ["token", "disabled"]}, secretName=TEXT),
            headGroupSpec=only("template rayStartParams", rayStartParams=TEXTS, template=POD),
            workerGroupSpecs={
                "type": "array",
                "minItems": 1,
                "items": only(
                    "groupName template",
                    groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, rayStartParams=TEXTS,
                    template=POD,
                ),
            },
        ),
    ),
)  # fmt: skip
"""Those of the fields of KubeRay's `RayJob` (ray.io/v1, KubeRay 1.5.1) that the file uses, with their types."""


@pytest.fixture(scope="module")
def kubernetes() -> dict[str, dict[str, Any]]:
    """Return the objects of the file for Kubernetes, by kind."""
    documents = yaml.safe_load_all((DEPLOY / "kuberay-rayjob.yaml").read_text())
    return {document["kind"]: document for document in documents}


@pytest.fixture(scope="module")
def cloud() -> dict[str, Any]:
    """Return the file for `ray up`."""
    return yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())


def understood(line: str) -> dict[str, Any]:
    """Return the parameters of a `tic-sweep run` line."""
    words = shlex.split(line)
    return cli.commands["run"].make_context("run", words[words.index("run") + 1 :]).params


def test_the_ray_job_has_known_fields_of_the_right_types(kubernetes: dict[str, dict[str, Any]]) -> None:
    """And the schema would notice a misspelt one, or a number in quotes."""
    job = kubernetes["RayJob"]
    jsonschema.validate(job, RAY_JOB)
    misspelt, quoted = copy.deepcopy(job), copy.deepcopy(job)
    misspelt["spec"]["entryPoint"] = misspelt["spec"].pop("entrypoint")
    quoted["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["replicas"] = "8"

    for wrong in (misspelt, quoted):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, RAY_JOB)


def test_the_ray_job_runs_a_sweep_that_goes_on(kubernetes: dict[str, dict[str, Any]]) -> None:
    """Its results lie on the claim that the head mounts, its checkpoints where the next cluster finds them."""
    spec = kubernetes["RayJob"]["spec"]
    head = spec["rayClusterSpec"]["headGroupSpec"]
    pod, params = head["template"]["spec"], understood(spec["entrypoint"])

    assert (
        kubernetes["PersistentVolumeClaim"]["metadata"]["name"]
        == (pod["volumes"][0]["persistentVolumeClaim"]["claimName"])
    )
    assert pod["containers"][0]["volumeMounts"][0]["mountPath"] == f"/{params['results'].parts[1]}"
    assert ("auto", 0.5) == (params["address"], params["gpus_per_trial"])
    assert params["storage"].startswith("s3://")
    assert spec["backoffLimit"] > 0
    assert spec["shutdownAfterJobFinishes"]
    assert "0" == head["rayStartParams"]["num-cpus"]


def test_the_ray_job_is_closed_to_strangers(kubernetes: dict[str, dict[str, Any]]) -> None:
    """It asks for a token, and every pod of it is behind a policy that lets in its own and the operator alone."""
    spec = kubernetes["RayJob"]["spec"]
    cluster, policy = spec["rayClusterSpec"], kubernetes["NetworkPolicy"]["spec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    labels = [group["template"]["metadata"]["labels"] for group in groups]
    (rule,) = policy["ingress"]

    assert "token" == cluster["authOptions"]["mode"]
    assert [policy["podSelector"]["matchLabels"]] * len(groups) == labels
    assert labels[0] == spec["submitterPodTemplate"]["metadata"]["labels"]
    assert ["Ingress"] == policy["policyTypes"]
    assert [{"podSelector"}, {"namespaceSelector", "podSelector"}] == [set(peer) for peer in rule["from"]]


def test_the_ray_job_lets_the_operator_in(kubernetes: dict[str, dict[str, Any]]) -> None:
    """Where either version of Ray's guide installs it, by the label that its pods have by Helm and by Kustomize."""
    operator = kubernetes["NetworkPolicy"]["spec"]["ingress"][0]["from"][1]
    (where,) = operator["namespaceSelector"]["matchExpressions"]

    assert ("kubernetes.io/metadata.name", "In") == (where["key"], where["operator"])
    assert {"default", "ray-system"} == set(where["values"])
    assert {"app.kubernetes.io/component": "kuberay-operator"} == operator["podSelector"]["matchLabels"]


def test_what_is_to_be_set_of_the_ray_job_is_named_at_its_top() -> None:
    """Image, bucket and the operator's namespace; and the image can be built by the user as which Ray's own runs."""
    header, _, rest = (DEPLOY / "kuberay-rayjob.yaml").read_text().partition("---")

    for name in ("IMAGE", "BUCKET", "OPERATOR"):
        assert name in header
        assert name in rest
    assert ["COPY --chown=ray:users . /home/ray/tic_sweep"] == re.findall(r"COPY .*", header)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ray_up_takes_the_cluster(cloud: dict[str, Any]) -> None:
    """Ray's own checks pass, and what they leave out: no kind of node may be more than there are nodes."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(copy.deepcopy(cloud))
    validate_config(prepared)
    workers = {name: kind for name, kind in cloud["available_node_types"].items() if name != cloud["head_node_type"]}
    misspelt = copy.deepcopy(prepared) | {"max_worker": 3}

    assert {"gpu"} == workers.keys()
    assert 1 <= workers["gpu"]["min_workers"] <= workers["gpu"]["max_workers"] <= cloud["max_workers"]
    with pytest.raises(jsonschema.ValidationError):
        validate_config(misspelt)


def test_ray_up_starts_a_closed_cluster(cloud: dict[str, Any]) -> None:
    """Every start of Ray asks for the token, which is the user's alone on each node; the dashboard is at home."""
    starts = [*cloud["head_start_ray_commands"], *cloud["worker_start_ray_commands"]]
    starts = [line for line in starts if "ray start" in line]

    assert 2 == len(starts)
    assert not [line for line in starts if "RAY_AUTH_MODE=token" not in line]
    assert "--dashboard-host=127.0.0.1" in starts[0]
    assert "~/.ray/auth_token" in cloud["file_mounts"]
    assert "chmod 600 ~/.ray/auth_token" in cloud["setup_commands"][0]
    assert cloud["available_node_types"]["head"]["resources"] == {"CPU": 0}


def test_every_node_of_the_cloud_has_the_image_that_is_named(cloud: dict[str, Any]) -> None:
    """Ray's default has a Python that is too old; which to name, in the region of the file, stands at its top."""
    header, _, _ = (DEPLOY / "ray-cluster.yaml").read_text().partition("cluster_name")
    images = {name: kind["node_config"].get("ImageId") for name, kind in cloud["available_node_types"].items()}

    assert {"head": "AMI", "gpu": "AMI"} == images
    assert "where AMI stands" in header
    assert f"--region {cloud['provider']['region']} " in header


@pytest.mark.parametrize(("had", "told"), [("(3, 10)", "ImageId"), ("(3, 11)", ""), ("(3, 12)", "")])
def test_the_setup_asks_for_a_python_that_will_do(cloud: dict[str, Any], had: str, told: str) -> None:
    """Before anything else is done with Python: the one that this project asks for, or the node is not set up."""
    with (DEPLOY.parent / "pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["requires-python"]
    first = next(line for line in cloud["setup_commands"] if "python" in line)
    _, _, code = shlex.split(first)
    done = subprocess.run(
        [sys.executable, "-c", code.replace("sys.version_info", had)], capture_output=True, text=True, check=False
    )

    assert f"< ({needed.removeprefix('>=')})" in code.replace(", ", ".")
    assert bool(told) == bool(done.returncode)
    assert told in done.stderr


def test_the_sweep_of_the_cloud(cloud: dict[str, Any]) -> None:
    """It is a script whose command is understood, and it uses the token, too."""
    script = DEPLOY / "sweep.sh"
    checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    text = script.read_text().replace("\\\n", " ").replace("${STORAGE:-s3://bucket/checkpoints}", "s3://b/x")
    params = understood(re.search(r"^exec (.*)$", text, flags=re.MULTILINE)[1])

    assert (0, "") == (checked.returncode, checked.stderr)
    assert ("learning_rate", "auto") == (params["sweep"], params["address"])
    assert "export RAY_AUTH_MODE=token" in text


def test_the_files_name_the_ray_that_was_tested(cloud: dict[str, Any], kubernetes: dict[str, dict[str, Any]]) -> None:
    """Nodes and driver need the same version."""
    pins = (DEPLOY.parent / "requirements.txt").read_text()
    version = re.search(r"^ray==(.+)$", pins, flags=re.MULTILINE)[1]

    assert version == kubernetes["RayJob"]["spec"]["rayClusterSpec"]["rayVersion"]
    assert [line for line in cloud["setup_commands"] if f"ray[default]=={version}" in line]
    assert f"rayproject/ray:{version}-" in (DEPLOY / "kuberay-rayjob.yaml").read_text()
