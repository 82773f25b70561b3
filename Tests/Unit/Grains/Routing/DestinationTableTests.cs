using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Routing;

public class DestinationTableTests
{
    private readonly FakeDestinations factory = new();
    private readonly DestinationTable table;

    public DestinationTableTests() => table = new DestinationTable(factory);

    [Fact]
    public void NumberIsSharedUntilReleasedAsOftenAsAcquired_WhenADestinationHasManyRoutes()
    {
        var number = table.Acquire(FakeDestinations.Session("c"));
        Assert.NotEqual(DestinationTable.Own, number);
        Assert.Equal(number, table.Acquire(FakeDestinations.Session("c"))); // equal by value, not by reference
        table.Release(number);
        Assert.True(table.TryFind(FakeDestinations.Session("c"), out var found));
        Assert.Equal(number, found);
        Assert.NotNull(table.TargetOf(number));
        table.Release(number);
        Assert.False(table.TryFind(FakeDestinations.Session("c"), out _));
        Assert.Equal(["c"], factory.Made);
    }

    [Fact]
    public void NumbersAreReused_WhenDestinationsAndGroupsComeAndGo()
    {
        var first = table.Acquire(FakeDestinations.Gateway(1));
        var second = table.Acquire(FakeDestinations.Gateway(2));
        table.Release(first);
        var group = new SharedGroup(SharedStrategy.Random, table);
        Assert.Equal(first, table.AddGroup(group));
        Assert.Same(group, table.GroupOf(first));
        table.RemoveGroup(first);
        Assert.Null(table.GroupOf(first));
        Assert.Equal(first, table.Acquire(FakeDestinations.Gateway(3)));
        Assert.Equal("gateway 3", ((FakeDestinations.Fake)table.TargetOf(first)!).Name);
        Assert.Equal("gateway 2", ((FakeDestinations.Fake)table.TargetOf(second)!).Name);
        for (var i = 0; i < 1_000; i++) table.Release(table.Acquire(FakeDestinations.Session($"{i}")));
        Assert.True(table.Acquire(FakeDestinations.Session("last")) <= 3);
    }

    [Fact]
    public void OwnGatewayKeepsItsNumber_WhenReleased()
    {
        Assert.Equal(DestinationTable.Own, table.Acquire(FakeDestinations.Own));
        Assert.Null(table.TargetOf(DestinationTable.Own));
        table.Release(DestinationTable.Own);
        Assert.NotEqual(DestinationTable.Own, table.Acquire(FakeDestinations.Gateway(1)));
        Assert.Equal(DestinationTable.Own, table.Acquire(FakeDestinations.Own));
    }
}
