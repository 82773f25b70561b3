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
        Assert.False(Add(11));
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
    public void OldestIsForgotten_WhenVeryManyAreRefused()
    {
        for (var number = 11; number <= 11 + 1_024; number++)
        {
            Assert.True(Add(number));
            origins.Refuse(new MessageOrigin(1, number), Shard);
        }

        Assert.False(Add(11));
        Assert.True(Add(12));
    }

    private bool Add(long number) => origins.TryAdd(new MessageOrigin(1, number), Shard);
}
