namespace Broker.Gateway.Links;

/// <summary>Somebody who cannot keep up with what publishers send, and for whom they should wait a little.</summary>
internal interface ICongestion
{
    /// <summary>Calls back once when there is room again, or when waiting has been long enough. Called on the publisher's loop.</summary>
    /// <param name="callback">May be called on any thread, never inside this call.</param>
    void WhenRoom(Action callback);
}
