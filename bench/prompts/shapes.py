import math


class Shape:
    """A plane figure with a name and a colour."""

    def __init__(self, name, colour="black"):
        self.name = name
        self.colour = colour

    def describe(self):
        return f"{self.name} in {self.colour}"


class Circle(Shape):
    def __init__(self, radius, colour="red"):
        super().__init__("circle", colour)
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2

    def perimeter(self):
        return 2 * math.pi * self.radius
