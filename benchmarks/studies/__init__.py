"""Studies of linnet alone: recipes, ways of training, activation ranges, estimates; never imported by the product."""
