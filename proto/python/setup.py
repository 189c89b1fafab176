"""Generates `usher.v1` from the `.proto` files beside this directory while the wheel is built."""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc
from setuptools import setup
from setuptools.command.build_py import build_py

PROTO = Path(__file__).resolve().parent.parent


class Generate(build_py):
    """The usual, and the generated package."""

    def run(self) -> None:
        super().run()
        out = Path(self.build_lib)
        protos = [str(path.relative_to(PROTO)) for path in sorted((PROTO / "usher" / "v1").glob("*.proto"))]
        # What Google's own packages have of `google.api` is only read.
        includes = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
        arguments = ["protoc", *includes, f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}"]
        if protoc.main([*arguments, *protos]) != 0:
            raise SystemExit("the .proto files could not be compiled")
        (out / "usher" / "v1" / "__init__.py").write_text('"""Usher\'s messages and stubs, version 1: generated."""\n')


setup(cmdclass={"build_py": Generate})
