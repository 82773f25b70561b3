namespace Broker.Gateway.Transport.Epoll;

/// <summary>How large the next receive buffer of a connection should be: 2 KB at first, 64 KB at most.</summary>
/// <remarks>
/// Two bytes per connection in place of DotNetty's allocator handle of some 80. A filled buffer quadruples the size; two
/// reads in a row that would have fitted in half of it halve it, so one small packet inside a burst changes nothing.
/// </remarks>
internal struct ReceiveSize
{
    private const int SmallestShift = 11, LargestShift = 16;

    private byte stepsUp;
    private bool smallBefore;

    /// <summary>Bytes to allocate.</summary>
    public readonly int Bytes => 1 << (SmallestShift + stepsUp);

    /// <summary>Learns from a read that returned <paramref name="received"/> bytes into a buffer of <see cref="Bytes"/>.</summary>
    public void Record(int received)
    {
        if (received >= Bytes)
        {
            stepsUp = (byte)Math.Min(stepsUp + 2, LargestShift - SmallestShift);
            smallBefore = false;
        }
        else if (received > Bytes / 2 || stepsUp == 0)
        {
            smallBefore = false;
        }
        else
        {
            if (smallBefore) stepsUp--;
            smallBefore = !smallBefore;
        }
    }
}
