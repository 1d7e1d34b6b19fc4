"""The numbers of the exam bank, computed: one function for each question that has numbers."""
