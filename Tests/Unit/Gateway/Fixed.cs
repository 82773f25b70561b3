using Microsoft.Extensions.Options;

namespace Broker.Tests.Unit.Gateway;

/// <summary>Options that stay as they are, for whoever follows changes of them.</summary>
internal static class Fixed
{
    public static IOptionsMonitor<T> Options<T>(T value) => new Monitor<T>(value);

    private sealed class Monitor<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue => value;

        public T Get(string? name) => value;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}
