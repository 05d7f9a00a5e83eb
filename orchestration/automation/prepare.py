"""Makes the folders and Dagster's instance file, so that `dagster dev` starts on a new machine."""

from orchestration.automation.run import open_instance
from orchestration.resources.settings import load_settings

if __name__ == "__main__":
    with open_instance(load_settings()):
        pass
