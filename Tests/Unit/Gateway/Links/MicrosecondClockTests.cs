using Broker.Gateway.Links;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class MicrosecondClockTests
{
    [Fact]
    public void FollowsTheTime_WhenItHasJumped()
    {
        var time = new ShiftedClock();
        var clock = new MicrosecondClock(time);
        AssertIsNow();
        time.Advance(TimeSpan.FromHours(5));
        AssertIsNow();

        void AssertIsNow()
        {
            var before = Microseconds(time);
            var read = clock.Read(time.GetTimestamp());
            Assert.InRange(read, before - 1000, Microseconds(time) + 1000); // a thread may lose its processor while the clock is set
        }
    }

    [Fact]
    public void DiffersByWhatHasPassed_WhenTimestampsAreOfTheSameSecond()
    {
        var time = new ShiftedClock();
        var clock = new MicrosecondClock(time);
        var timestamp = time.GetTimestamp();
        var first = clock.Read(timestamp);
        Assert.Equal(first + 2_000, clock.Read(timestamp + time.TimestampFrequency / 500));
    }

    private static long Microseconds(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
