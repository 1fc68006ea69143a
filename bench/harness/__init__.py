"""What every table needs: the machine, the sides, the turns, the document."""
