using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>The client's side of TLS with a pre-shared key.</summary>
internal sealed class PskClientStream(Stream wire) : Stream
{
    private readonly TlsClientProtocol tls = new();
    private readonly byte[] input = new byte[4096];

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The server has refused or closed.</exception>
    public async Task AuthenticateAsync()
    {
        tls.Connect(new Client());
        await SendAsync();
        while (!tls.IsConnected)
        {
            if (!await TakeAsync()) throw new EndOfStreamException();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (tls.GetAvailableInputBytes() == 0)
        {
            if (!await TakeAsync()) return 0;
        }

        var plain = new byte[Math.Min(tls.GetAvailableInputBytes(), buffer.Length)];
        tls.ReadInput(plain, 0, plain.Length);
        plain.CopyTo(buffer);
        return plain.Length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        tls.WriteApplicationData(buffer.Span);
        await SendAsync();
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async Task<bool> TakeAsync()
    {
        var count = await wire.ReadAsync(input);
        if (count == 0) return false;
        tls.OfferInput(input, 0, count);
        await SendAsync();
        return true;
    }

    private async Task SendAsync()
    {
        var output = new byte[tls.GetAvailableOutputBytes()];
        if (output.Length == 0) return;
        tls.ReadOutput(output, 0, output.Length);
        await wire.WriteAsync(output);
    }

    private sealed class Client() : PskTlsClient(new BcTlsCrypto(), "device"u8.ToArray(), Convert.FromHexString("0123456789abcdef"))
    {
        protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.TLSv12.Only();

        protected override int[] GetSupportedCipherSuites() => [CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256];
    }
}
