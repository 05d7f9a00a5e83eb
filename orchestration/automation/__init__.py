"""When things run: jobs, schedules and sensors. What runs is defined by the assets."""
