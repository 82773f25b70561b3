using Broker.Gateway.Transport.Epoll;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

public class ReceiveSizeTests
{
    [Fact]
    public void GrowsToTheLimit_WhenBuffersAreFilled()
    {
        var size = default(ReceiveSize);
        var seen = new List<int>();
        for (int i = 0; i < 5; i++)
        {
            seen.Add(size.Bytes);
            size.Record(size.Bytes);
        }

        Assert.Equal([2_048, 8_192, 32_768, 65_536, 65_536], seen);
    }

    [Fact]
    public void ShrinksByHalf_WhenTwoReadsInARowAreSmall()
    {
        var size = default(ReceiveSize);
        size.Record(2_048);
        size.Record(10);
        Assert.Equal(8_192, size.Bytes);
        size.Record(8_000);
        size.Record(10);
        Assert.Equal(8_192, size.Bytes);
        size.Record(10);
        Assert.Equal(4_096, size.Bytes);
        for (int i = 0; i < 10; i++) size.Record(1);
        Assert.Equal(2_048, size.Bytes);
    }
}
