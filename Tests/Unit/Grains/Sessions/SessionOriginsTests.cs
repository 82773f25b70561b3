using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Grains.Sessions;

public class SessionOriginsTests
{
    private const int Shard = 3;

    private readonly SessionOrigins origins = new([new OriginMark(1, Shard, 10)]);

    [Fact]
    public void TakenOnce_WhenItComesTwice()
    {
        Assert.False(Add(10));
        Assert.True(Add(12));
        Assert.False(Add(12));
        Assert.False(Add(9));
        Assert.True(origins.TryAdd(new MessageOrigin(2, 5), Shard));
        Assert.True(origins.TryAdd(new MessageOrigin(1, 5), Shard + 1));
    }

    [Fact]
    public void TakenAgain_WhenItWasRefusedAndOthersCameBetween()
    {
        Assert.True(Add(11));
        Assert.True(Add(12));
        origins.Refuse(new MessageOrigin(1, 11), Shard);
        Assert.True(Add(13));
        Assert.False(Add(12));
        Assert.True(Add(11));
        Assert.False(Add(11));
    }

    [Fact]
    public void TakenLater_WhenItWasRefusedBeforeTheSessionCameUpHere()
    {
        Assert.True(Add(12));
        Assert.True(Add(11));
        Assert.False(Add(11));
    }

    [Theory]
    [InlineData(1_023)]
    [InlineData(1_024)]
    [InlineData(1_025)]
    [InlineData(5_000)]
    public void OlderThanTheWindowCountsAsHad_WhenOthersAreFarAhead(int ahead)
    {
        Assert.True(Add(11));
        Assert.True(Add(20));
        Assert.True(Add(20 + ahead));
        Assert.Equal(ahead <= 1_024, Add(21));
        Assert.False(Add(20));
        Assert.True(Add(19 + ahead));
        Assert.False(Add(19 + ahead));
    }

    [Fact]
    public void EachIsTakenOnce_WhenTheyComeInAnyOrderWithinTheWindow()
    {
        var random = new Random(7);
        var numbers = Enumerable.Range(11, 5_000).ToArray();
        for (var from = 0; from < numbers.Length; from += 500) random.Shuffle(numbers.AsSpan(from, 500));
        Assert.All(numbers, number => Assert.True(Add(number)));
        Assert.All(numbers, number => Assert.False(Add(number)));
    }

    private bool Add(long number) => origins.TryAdd(new MessageOrigin(1, number), Shard);
}
