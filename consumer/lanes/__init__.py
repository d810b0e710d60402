"""The deliveries of each assigned partition between poll and commit; pure."""
