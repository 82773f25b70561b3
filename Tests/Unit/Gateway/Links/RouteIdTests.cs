using Broker.Gateway.Links;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class RouteIdTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(RouteId.MaxLoops - 1, RouteId.MaxGeneration, int.MaxValue)]
    [InlineData(1, 2, 3)]
    [InlineData(255, 0, 0)]
    [InlineData(0, 0xFFFFFF, 0)]
    public void PartsComeBack_WhenPutTogether(int loop, int generation, int slot)
    {
        var route = RouteId.Of(loop, generation, slot);
        Assert.Equal((loop, generation, slot), (RouteId.Loop(route), RouteId.Generation(route), RouteId.Slot(route)));
    }

    [Fact]
    public void RoutesAreGroupedByLoop_WhenSorted()
    {
        ulong[] routes = [RouteId.Of(2, 0, 0), RouteId.Of(0, 5, 9), RouteId.Of(255, 0, 1), RouteId.Of(1, 0xFFFFFF, int.MaxValue), RouteId.Of(0, 6, 1)];
        Array.Sort(routes);
        Assert.Equal([0, 0, 1, 2, 255], routes.Select(RouteId.Loop));
    }
}
