namespace Broker.Gateway.Transport;

/// <summary>The first bytes of a connection, collected until what they begin is whole.</summary>
/// <param name="most">No more than this is kept.</param>
internal sealed class Prelude(int most)
{
    private byte[] bytes = [];

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <returns>False if it has become too long.</returns>
    public bool TryAppend(ReadOnlySpan<byte> more)
    {
        // What was whole before is handed on, so bytes beyond the bound may be of what comes behind.
        if (bytes.Length >= most) return false;
        bytes = [.. bytes, .. more];
        return true;
    }
}
