"""The only code that speaks S3, files as a bucket, and HTTP."""
