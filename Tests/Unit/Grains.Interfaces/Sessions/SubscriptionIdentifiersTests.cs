using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Sessions;

public class SubscriptionIdentifiersTests
{
    [Fact]
    [Clause("MQTT-3.3.4-4")]
    public void AllAreKeptInOrder_WhenAddedOneByOne()
    {
        var none = default(SubscriptionIdentifiers);
        Assert.True(none.IsEmpty);
        Assert.Equal([], Read(none));
        Assert.Equal([], Read(none.With(0)));
        Assert.Equal([7], Read(none.With(7)));
        Assert.Equal([7], Read(none.With(7).With(0)));
        Assert.Equal([7, 3, 7, 268_435_455], Read(none.With(7).With(3).With(7).With(268_435_455)));
        Assert.False(none.With(7).IsEmpty);
        Assert.True(new SubscriptionIdentifiers(0).IsEmpty);
    }

    [Fact]
    public void EarlierValueIsUntouched_WhenOneIsAdded()
    {
        var two = new SubscriptionIdentifiers(1).With(2);
        var (three, other) = (two.With(3), two.With(4));
        Assert.Equal([1, 2], Read(two));
        Assert.Equal([1, 2, 3], Read(three));
        Assert.Equal([1, 2, 4], Read(other));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(65_535, 65_535)]
    [InlineData(65_536, 1)]
    [InlineData(131_070, 65_535)]
    [InlineData(131_071, 1)]
    [InlineData(655_350_000_001, 1)]
    public void PacketIdentifierFollowsFromTheSequence_WhenItWraps(long sequence, int identifier) =>
        Assert.Equal(identifier, new Delivery(TestMessage.On("a"), default, false, Sequence: sequence).PacketIdentifier);

    private static int[] Read(SubscriptionIdentifiers identifiers) => SubscriptionIdentifiers.AsSpan(identifiers).ToArray();
}
